import Type from 'typebox'
import type { Json } from '../core/text/canonical-json.ts'
import { LIST_CHANGE_KINDS } from '../core/rate/price-list/list-changes.ts'
import { endpoint, type ValueOf } from './endpoint.ts'
import { Flag } from './parameters.ts'
import { FINDING, VersionNumber } from './price-book.ts'
import { Digest, Nullable, NullableTime, Text, Time } from './views.ts'

const params = Type.Object({ name: Type.String({ description: 'The name of the list, as in `priceList`' }) })

export const PriceListHead = Type.Object({
  name: Text,
  version: Type.Integer({ minimum: 1, description: 'Of the prices, with which it was published' }),
  publishedAt: Time,
  publishedBy: Type.String({ description: 'The id of a key, or what did it' }),
  digest: Digest,
})
export type PriceListHead = ValueOf<typeof PriceListHead>

export const PriceListView = Type.Object({
  ...PriceListHead.properties,
  list: Type.Unsafe<Json>(Type.Object({}, { additionalProperties: true, description: 'The whole list' })),
})
export type PriceListView = ValueOf<typeof PriceListView>

export const GetPriceLists = endpoint({
  method: 'GET',
  url: '/v1/price-lists',
  tag: 'Price lists',
  summary: 'The price lists, by name, without their prices',
  description: 'Lists the newest version of each price list. A key of one account sees its own lists.',
  answers: { 200: Type.Object({ items: Type.Array(PriceListHead) }) },
})

export const GetPriceList = endpoint({
  method: 'GET',
  url: '/v1/price-lists/:name',
  tag: 'Price lists',
  summary: 'One price list: the newest version, or the one that a version of the prices has',
  description: 'Gives a price list with all its prices. A key of one account sees its own lists.',
  params,
  query: Type.Object({
    version: Type.Optional({
      ...VersionNumber,
      description: 'Of the prices, as a line of a bill names it; the newest unless told',
    }),
  }),
  answers: { 200: PriceListView },
})

export const PriceListChange = Type.Object({
  kind: Type.Enum([...LIST_CHANGE_KINDS]),
  item: Nullable,
  rate: Nullable,
  from: NullableTime,
  to: NullableTime,
  was: Type.Union([...Nullable.anyOf], { description: 'Null: the list has no such entry' }),
  becomes: Nullable,
  fromNextMonth: Type.Boolean({
    description:
      'From tiers to other tiers: it counts from the account’s first month that begins at `from` or later',
  }),
})
export type PriceListChange = ValueOf<typeof PriceListChange>

export const PublishedPriceList = Type.Object({
  name: Text,
  version: Type.Integer({ description: 'That has this list, or would have it' }),
  basedOn: Type.Integer({ description: 'The newest version before, with which it was compared' }),
  published: Type.Boolean({ description: 'By this request' }),
  firstOpenHour: Type.String({ format: 'date-time', description: 'From here on everything may change' }),
  changes: Type.Array(PriceListChange),
  violations: Type.Array(Type.Object(FINDING), { description: 'What stands against it. In a dry run only' }),
})
export type PublishedPriceList = ValueOf<typeof PublishedPriceList>

export const PostPriceList = endpoint({
  method: 'POST',
  url: '/v1/price-lists/:name',
  idempotent: true,
  tag: 'Price lists',
  summary: 'Publish a price list. Nothing may change for an hour that has begun',
  description:
    'Publishes a price list as part of the next version of the prices. The body is the whole list, in YAML or JSON. 201: it is published. 200: nothing was stored, because the newest version says the same already, or because of `dryRun`.',
  refusals: [422],
  params,
  query: Type.Object({
    dryRun: Type.Optional({ ...Flag, description: 'Store nothing: only say what stands against it' }),
    basedOn: Type.Optional({
      ...VersionNumber,
      description: 'The version that it was made from: refused if another one was published meanwhile',
    }),
  }),
  body: { 'application/yaml': Type.String() },
  answers: { 200: PublishedPriceList, 201: PublishedPriceList },
})
