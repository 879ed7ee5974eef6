import Type from 'typebox'
import type { Json } from '../core/text/canonical-json.ts'
import { CHANGE_KINDS } from '../core/rate/price-book/compare/changes.ts'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { Flag, PageParameters, parameter } from './parameters.ts'
import { Component, Digest, Nullable, NullableTime, Text, Time } from './views.ts'

/** The number of a version: fits the database's column. */
export const VersionNumber = parameter(
  Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
  'send the number of a version, from 1',
)

export const PriceBookChange = Type.Object({
  kind: Type.Enum([...CHANGE_KINDS]),
  component: Type.Union([Component, Type.Null()]),
  item: Nullable,
  rate: Nullable,
  names: Type.Array(Text, { description: 'Operations, or an event type' }),
  from: NullableTime,
  to: NullableTime,
  was: Nullable,
  becomes: Nullable,
  fromNextMonth: Type.Boolean({
    description:
      'From tiers to other tiers: it counts from the account’s first month that begins at `from` or later',
  }),
})
export type PriceBookChange = ValueOf<typeof PriceBookChange>

const Remark = Type.Object({ code: Text, message: Text, fix: Text })

export const PriceVersionHead = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  publishedAt: Time,
  publishedBy: Type.String({ description: 'The id of a key, or what did it' }),
  published: Type.Enum(['price_book', 'price_list'], { description: 'What was published with this version' }),
  priceList: Type.Union([...Nullable.anyOf], {
    description: 'The price list that was published; null for the book, and where it is another account’s',
  }),
  digest: Digest,
  remarks: Type.Array(Remark),
})
export type PriceVersionHead = ValueOf<typeof PriceVersionHead>

export const GetPriceVersions = endpoint({
  method: 'GET',
  url: '/v1/price-book/versions',
  tag: 'Price book',
  summary: 'The versions of the price book, newest first, without their rules',
  description: 'Lists when and by whom each version was published, its digest and the remarks on it.',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(PriceVersionHead) },
})

export const GetPriceVersionDiff = endpoint({
  method: 'GET',
  url: '/v1/price-book/diff',
  tag: 'Price book',
  summary: 'What differs between two versions of the price book, and from when on',
  description:
    'Compares two versions: what changes, from which hour on, and what it was and becomes. Without parameters it compares the newest version with the one before.',
  refusals: [404],
  query: Type.Object({
    from: Type.Optional({ ...VersionNumber, description: 'The older one; the one before `to` unless told' }),
    to: Type.Optional({ ...VersionNumber, description: 'The newer one; the newest unless told' }),
  }),
  answers: {
    200: Type.Object({ from: Type.Integer(), to: Type.Integer(), changes: Type.Array(PriceBookChange) }),
  },
})

export const PriceVersion = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  publishedAt: Time,
  demo: Type.Boolean({ description: 'With illustrative prices, for good' }),
  digest: Digest,
  book: Type.Unsafe<Json>(Type.Object({}, { additionalProperties: true, description: 'The whole rule set' })),
})
export type PriceVersion = ValueOf<typeof PriceVersion>

export const GetNewestPriceBook = endpoint({
  method: 'GET',
  url: '/v1/price-book',
  tagged: true,
  tag: 'Price book',
  summary: 'The newest version of the price book',
  description: 'Gives the newest version with all its rules.',
  answers: { 200: PriceVersion },
})

export const GetPriceBook = endpoint({
  method: 'GET',
  url: '/v1/price-book/:version',
  tagged: true,
  tag: 'Price book',
  summary: 'One version of the price book',
  description: 'Gives one version with all its rules. A published version never changes.',
  params: Type.Object({
    version: VersionNumber,
  }),
  answers: { 200: PriceVersion },
})

export const FINDING = {
  code: Text,
  line: Type.Integer({ minimum: 1, description: 'In the text that was sent, from 1' }),
  column: Type.Integer({ minimum: 1, description: 'In UTF-16 units, from 1' }),
  message: Text,
  fix: Type.String({ description: 'What to write instead' }),
}

const PastChangeView = Type.Object({
  ...FINDING,
  item: Nullable,
  rate: Nullable,
  names: Type.Array(Text, { description: 'Operations, or an event type' }),
  hour: Type.Union([Time, Type.Null()], { description: 'The first hour that would change' }),
  was: Nullable,
  becomes: Nullable,
})

export const PublishedPriceBook = Type.Object({
  version: Type.Integer({ description: 'That has these rules, or would have them' }),
  basedOn: Type.Integer({ description: 'The newest version before, with which it was compared' }),
  published: Type.Boolean({ description: 'By this request' }),
  firstOpenHour: Type.String({ format: 'date-time', description: 'From here on everything may change' }),
  changes: Type.Array(PriceBookChange),
  violations: Type.Array(PastChangeView, { description: 'What stands against it. In a dry run only' }),
  remarks: Type.Array(Type.Object(FINDING)),
})
export type PublishedPriceBook = ValueOf<typeof PublishedPriceBook>

export const PostPriceBook = endpoint({
  method: 'POST',
  url: '/v1/price-book',
  idempotent: true,
  tag: 'Price book',
  summary: 'Publish a price book as the next version. Nothing may change for an hour that has begun',
  description:
    'Publishes the next version. The body is the whole price book, in YAML or JSON. 201: it is published. 200: nothing was stored, because the newest version says the same already, or because of `dryRun`.',
  refusals: [422],
  query: Type.Object({
    dryRun: Type.Optional({ ...Flag, description: 'Store nothing: only say what would change' }),
    basedOn: Type.Optional({
      ...VersionNumber,
      description: 'The version that it was made from: refused if another one was published meanwhile',
    }),
  }),
  body: { 'application/yaml': Type.String() },
  answers: { 200: PublishedPriceBook, 201: PublishedPriceBook },
})
