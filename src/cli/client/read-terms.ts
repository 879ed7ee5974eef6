import type { PriceListView } from '../../api/price-lists.ts'
import type { PriceVersion } from '../../api/price-book.ts'
import { componentsOf, type SoldComponents } from '../../core/present/bill-components.ts'
import type { LineView } from '../../core/present/bill-view.ts'
import type { TermsOf } from '../../core/present/bill-line-notes.ts'
import { lineTerms } from '../../core/present/line-terms.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { readPriceBook } from '../../core/rate/price-book/parse/read-price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { readPriceList } from '../../core/rate/price-list/read-price-list.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import type { ServerApi } from './server-api.ts'

const OTHER_VERSION = 'The price book of the server is of a newer version of Farthing: use its command line.'

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
  throw new CommandFailed(OTHER_VERSION)
}

/** The rules behind some lines. */
export interface LineRules {
  readonly termsOf: TermsOf
  /** The components that their price books have items for, as the newest of these names them. */
  readonly sold: SoldComponents
}

/** Each line's rules come from the version of the prices that it names: the book, and the price list that it names. */
export async function readTerms(api: ServerApi, lines: readonly LineView[]): Promise<LineRules> {
  const versions = [...new Set(lines.map(({ priceVersion }) => priceVersion))].sort((a, b) => a - b)
  const read = versions.map(async (version) => {
    const { book } = await readVersion(api, version)
    const named = lines.flatMap((line) => (line.priceVersion === version ? (line.priceList ?? []) : []))
    return [version, { book, lists: await readLists(api, book, version, new Set(named)) }] as const
  })
  const rules = new Map(await Promise.all(read))
  const termsOf: TermsOf = (line) => {
    const { book, lists } = rules.get(line.priceVersion)!
    return lineTerms(book, line, lists)
  }
  return { termsOf, sold: componentsOf(...[...rules.values()].map(({ book }) => book)) }
}

/**
 * A price list as it is at the server, with the book of its version.
 * @param version of the prices; the newest without it
 */
export async function readListVersion(
  api: ServerApi,
  name: string,
  version?: number,
): Promise<{
  readonly view: PriceListView
  readonly list: PriceList
  readonly book: PriceBook
  readonly priceVersion: number
}> {
  const { view: prices, book } = await readVersion(api, version)
  const query = { version: prices.version }
  const view = await api.json('GET /v1/price-lists/:name', { params: { name }, query })
  const parsed = readPriceList(view.list, book)
  if (!parsed.ok) throw new CommandFailed(OTHER_VERSION)
  return { view, list: parsed.list, book, priceVersion: prices.version }
}

async function readLists(
  api: ServerApi,
  book: PriceBook,
  version: number,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, PriceList>> {
  const lists = new Map<string, PriceList>()
  for (const name of names) {
    const { list } = await api.json('GET /v1/price-lists/:name', { params: { name }, query: { version } })
    const parsed = readPriceList(list, book)
    if (!parsed.ok) throw new CommandFailed(OTHER_VERSION)
    lists.set(name, parsed.list)
  }
  return lists
}
