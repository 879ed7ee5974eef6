import { changesBetween, type PriceBookChange } from '../../core/rate/price-book/compare/changes.ts'
import type { PriceBookRemark } from '../../core/rate/price-book/parse/problem.ts'
import { run, type Sql } from '../../store/query.ts'
import { type PriceVersionHead, listPriceVersionHeads } from '../../store/price-versions.ts'
import { type Page, pageOf } from '../shared/page.ts'
import { findBook } from './read-price-version.ts'

export interface ListedPriceVersion extends PriceVersionHead {
  readonly remarks: readonly PriceBookRemark[]
}

/** Published versions, newest first. */
export async function listPriceVersions(
  sql: Sql,
  before: number | undefined,
  limit: number,
): Promise<Page<ListedPriceVersion, number>> {
  const heads = await run(sql, listPriceVersionHeads, { before: before ?? null, limit: limit + 1 })
  const { items, next } = pageOf(heads, limit, ({ version }) => version)
  const listed: ListedPriceVersion[] = []
  // One by one: a book may have a megabyte, and its remarks are few.
  for (const head of items) {
    const found = await findBook(sql, head.version)
    listed.push({ ...head, remarks: found?.remarks ?? [] })
  }
  return { items: listed, next }
}

export interface PriceVersionDiff {
  readonly from: number
  readonly to: number
  readonly changes: readonly PriceBookChange[]
}

/**
 * What differs between two versions. Without `to` the newest; without `from` the one before it.
 * @returns the number of a version that there is not, as `missing`
 */
export async function diffPriceVersions(
  sql: Sql,
  range: { readonly from: number | undefined; readonly to: number | undefined },
): Promise<PriceVersionDiff | { readonly missing: number }> {
  const after = await findBook(sql, range.to ?? null)
  if (!after) return { missing: range.to! }
  const from = range.from ?? Math.max(1, after.version - 1)
  const before = await findBook(sql, from)
  if (!before) return { missing: from }
  return { from, to: after.version, changes: changesBetween(before.book, after.book) }
}
