import { invariant } from '../../core/invariant.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import type { PriceBookRemark } from '../../core/rate/price-book/parse/problem.ts'
import { readPriceBook } from '../../core/rate/price-book/parse/read-price-book.ts'
import { readPriceList } from '../../core/rate/price-list/read-price-list.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { findPriceDigest, type PriceVersion, findPriceVersionRow } from '../../store/price-versions.ts'
import { listPriceLists } from '../../store/price-lists.ts'
import { run, runOne, type Sql } from '../../store/query.ts'

/** A published version as it is stored; the newest for null; undefined if there is none of this number. */
export function findPriceVersion(sql: Sql, version: number | null): Promise<PriceVersion | undefined> {
  return runOne(sql, findPriceVersionRow, { version })
}

interface ReadVersion {
  readonly version: number
  readonly book: PriceBook
  readonly remarks: readonly PriceBookRemark[]
  /** The price lists of the version, by name. */
  readonly lists: ReadonlyMap<string, PriceList>
}

/** Versions never change, so their rules are read once. By their digest: databases may share a process. */
const books = new Map<string, Omit<ReadVersion, 'version'>>()
const BOOKS_KEPT_MAX = 100

/** The rules of a version; of the newest for null; undefined if there is none of this number. */
export async function findBook(sql: Sql, version: number | null): Promise<ReadVersion | undefined> {
  const found = await runOne(sql, findPriceDigest, { version })
  if (found === undefined) return undefined
  const key = `${found.digest} ${found.lists}`
  const known = books.get(key)
  if (known) return { version: found.version, ...known }
  const text = await findPriceVersion(sql, found.version)
  invariant(text !== undefined, 'a published version is never deleted')
  const read = readPriceBook(JSON.parse(text.book) as Json)
  invariant(read.ok, 'a published price book is valid')
  const { book, remarks } = read
  if (books.size >= BOOKS_KEPT_MAX) books.clear()
  const lists = await listsOfVersion(sql, found.version, book)
  books.set(key, { book, remarks, lists })
  return { version: found.version, book, remarks, lists }
}

/** The rules of a version, which exists; of the newest for null. */
export async function bookOf(sql: Sql, version: number | null): Promise<Omit<ReadVersion, 'remarks'>> {
  const found = await findBook(sql, version)
  invariant(found !== undefined, 'the version of a bill, and the newest one, exist')
  return found
}

async function listsOfVersion(
  sql: Sql,
  version: number,
  book: PriceBook,
): Promise<ReadonlyMap<string, PriceList>> {
  const lists = new Map<string, PriceList>()
  for (const { name, list } of await run(sql, listPriceLists, { version })) {
    const read = readPriceList(JSON.parse(list) as Json, book)
    invariant(read.ok, 'a published price list is valid')
    lists.set(name, read.list)
  }
  return lists
}
