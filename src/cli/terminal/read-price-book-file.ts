import { type ParsedPriceBook, parsePriceBook } from '../../flows/prices/parse-price-book.ts'
import { nameOfFile, readBytes } from './read-file.ts'

export interface PriceBookSource {
  /** As messages call it. */
  readonly name: string
  readonly source: Uint8Array
  /** What is wrong inside of it is in here. */
  readonly parsed: ParsedPriceBook
}

/** Read a price book, with its bytes as they are; - is standard input. */
export function readPriceBookSource(path: string): PriceBookSource {
  const name = nameOfFile(path)
  const source = readBytes(path, 'price book')
  return { name, source, parsed: parsePriceBook(source, name) }
}

/** Read a price book; what is wrong inside of it is in the answer. */
export function readPriceBookFile(path: string): ParsedPriceBook {
  return readPriceBookSource(path).parsed
}
