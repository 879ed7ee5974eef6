import { readFileSync } from 'node:fs'
import { type ParsedPriceBook, parsePriceBook } from '../../flows/prices/parse-price-book.ts'
import { CommandFailed, systemReason } from './command-failed.ts'

export interface PriceBookSource {
  /** As messages call it. */
  readonly name: string
  readonly source: Uint8Array
  /** What is wrong inside of it is in here. */
  readonly parsed: ParsedPriceBook
}

/** Read a price book, with its bytes as they are; - is standard input. */
export function readPriceBookSource(path: string): PriceBookSource {
  const name = path === '-' ? 'standard input' : path
  const source = readBytes(path)
  return { name, source, parsed: parsePriceBook(source, name) }
}

/** Read a price book; what is wrong inside of it is in the answer. */
export function readPriceBookFile(path: string): ParsedPriceBook {
  return readPriceBookSource(path).parsed
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new CommandFailed(`The price book ${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}
