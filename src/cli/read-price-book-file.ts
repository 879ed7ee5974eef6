import { readFileSync } from 'node:fs'
import { type ParsedPriceBook, parsePriceBook } from '../flows/prices/parse-price-book.ts'
import { CommandFailed, systemReason } from './command-failed.ts'

/** Read a price book; what is wrong inside of it is in the answer. */
export function readPriceBookFile(path: string): ParsedPriceBook {
  try {
    return parsePriceBook(readFileSync(path === '-' ? 0 : path), path === '-' ? 'standard input' : path)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new CommandFailed(`The price book ${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}
