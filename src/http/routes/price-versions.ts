import Type from 'typebox'
import { priceBookChangeView } from '../../core/present/price-book-changes.ts'
import { CHANGE_KINDS } from '../../core/rate/price-book/compare/compare-changes.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { diffPriceVersions, listPriceVersions } from '../../flows/prices/price-versions.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { PAGE, PageParameters, parameter } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Component, Digest, Nullable, NullableTime, Text, Time } from '../api/views.ts'

/** Prices are for everyone who pays them, and so is when they change. */
const ACCESS = { scope: 'any', boundKeys: 'same' } as const

/** The number of a version: fits the database's column. */
export const VersionNumber = parameter(
  Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
  'send the number of a version, from 1',
)

export const ChangeView = Type.Object({
  kind: Type.Enum([...CHANGE_KINDS]),
  component: Type.Union([Component, Type.Null()]),
  item: Nullable,
  rate: Nullable,
  names: Type.Array(Text, { description: 'Operations, or an event type' }),
  from: NullableTime,
  to: NullableTime,
  was: Nullable,
  becomes: Nullable,
})

const Remark = Type.Object({ code: Text, message: Text, fix: Text })

const Head = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  publishedAt: Time,
  publishedBy: Type.String({ description: 'The id of a key, or what did it' }),
  digest: Digest,
  remarks: Type.Array(Remark),
})

export const getPriceVersions = route({
  method: 'GET',
  url: '/v1/price-book/versions',
  access: ACCESS,
  summary: 'The versions of the price book, newest first, without their rules',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Head) },
  async handle({ query }, { reading }) {
    const position = readCursor('price-versions', ['int'], query.cursor)
    const page = await listPriceVersions(reading, position?.[0], query.limit ?? PAGE)
    const items = page.items.map(({ publishedAt, remarks, ...head }) => ({
      ...head,
      publishedAt: formatInstant(publishedAt),
      remarks: remarks.map(({ code, message, fix }) => ({ code, message, fix })),
    }))
    return { items, next: writeCursor('price-versions', page.next === null ? null : [page.next]) }
  },
})

export const getPriceVersionDiff = route({
  method: 'GET',
  url: '/v1/price-book/diff',
  access: ACCESS,
  summary: 'What differs between two versions of the price book, and from when on',
  query: Type.Object({
    from: Type.Optional({ ...VersionNumber, description: 'The older one; the one before `to` unless told' }),
    to: Type.Optional({ ...VersionNumber, description: 'The newer one; the newest unless told' }),
  }),
  answers: {
    200: Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(ChangeView) }),
  },
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
