import type { PriceVersion } from '../../api/price-book.ts'
import { componentsOf } from '../../core/present/bill-components.ts'
import type { LineView } from '../../core/present/bill-view.ts'
import type { TermsOf } from '../../core/present/bill-line-notes.ts'
import { lineTerms } from '../../core/present/line-terms.ts'
import type { Component, PriceBook } from '../../core/rate/price-book/price-book.ts'
import { readPriceBook } from '../../core/rate/price-book/parse/read-price-book.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import type { ServerApi } from './server-api.ts'

/** The rules of a version as they are at the server; the newest without a number. */
export async function readVersion(
  api: ServerApi,
  version?: number,
): Promise<{ readonly view: PriceVersion; readonly book: PriceBook }> {
  const view =
    version === undefined
      ? await api.json('GET /v1/price-book')
      : await api.json('GET /v1/price-book/:version', { params: { version } })
  const read = readPriceBook(view.book)
  if (read.ok) return { view, book: read.book }
  throw new CommandFailed(
    'The price book of the server is of a newer version of Farthing: use its command line.',
  )
}

/** The rules behind some lines. */
export interface LineRules {
  readonly termsOf: TermsOf
  /** The components that their price books have items for. */
  readonly sold: ReadonlySet<Component>
}

/** Each line's rules come from the version of the price book that it names. */
export async function readTerms(api: ServerApi, lines: readonly LineView[]): Promise<LineRules> {
  const versions = [...new Set(lines.map(({ priceVersion }) => priceVersion))]
  const read = versions.map(async (version) => [version, (await readVersion(api, version)).book] as const)
  const books = new Map(await Promise.all(read))
  const termsOf: TermsOf = (line) => lineTerms(books.get(line.priceVersion)!, line)
  return { termsOf, sold: componentsOf(...books.values()) }
}
