import { priceBookChangeView } from '../../core/present/price-book-changes.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { diffPriceVersions, listPriceVersions } from '../../flows/prices/price-versions.ts'
import { visibleLists } from '../../flows/prices/visible-lists.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetPriceVersionDiff, GetPriceVersions } from '../../api/price-book.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'

/** Prices are for everyone who pays them, and so is when they change. */
const ACCESS = { scope: 'any', boundKeys: 'same' } as const

export const getPriceVersions = route({
  ...GetPriceVersions,
  access: ACCESS,
  async handle({ query, key }, { reading }) {
    const position = readCursor('price-versions', ['number'], query.cursor)
    const page = await listPriceVersions(reading, position?.[0], query.limit ?? PAGE)
    const lists = new Set((await visibleLists(reading, key?.account)).map(({ name }) => name))
    const items = page.items.map(({ publishedAt, remarks, priceList, ...head }) => ({
      ...head,
      published: priceList === null ? ('price_book' as const) : ('price_list' as const),
      priceList: priceList !== null && lists.has(priceList) ? priceList : null,
      publishedAt: formatInstant(publishedAt),
      remarks: remarks.map(({ code, message, fix }) => ({ code, message, fix })),
    }))
    return { items, next: writeCursor('price-versions', page.next === null ? null : [page.next]) }
  },
})

export const getPriceVersionDiff = route({
  ...GetPriceVersionDiff,
  access: ACCESS,
  async handle({ query: { from, to } }, { reading }) {
    const diff = await diffPriceVersions(reading, { from, to })
    if (!('missing' in diff)) return { ...diff, changes: diff.changes.map(priceBookChangeView) }
    throw noVersion(diff.missing)
  },
})

export function noVersion(number: number): HttpProblem {
  return new HttpProblem(
    'price/version_not_found',
    `There is no version ${number}: see /v1/price-book/versions.`,
  )
}
