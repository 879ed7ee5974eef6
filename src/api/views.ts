import Type from 'typebox'
import type { Json } from '../core/text/canonical-json.ts'
import { COMPONENTS } from '../core/rate/price-book/price-book.ts'
import type { ValueOf } from './endpoint.ts'

/** Schemas of what answers contain. The values come from core/present; a test holds both together. */

export const Text = Type.String()
export const Nullable = Type.Union([Type.String(), Type.Null()])
const DECIMAL = '^-?\\d+(\\.\\d+)?$'
export const Decimal = Type.String({ pattern: DECIMAL, description: 'A plain decimal, exact' })
export const Time = Type.String({ format: 'date-time' })
export const NullableTime = Type.Union([Time, Type.Null()])
export const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal' })
export const Component = Type.Enum([...COMPONENTS])
export const Range = Type.Object({ from: Time, to: Time }, { description: 'Half-open: [from, to)' })

export const LineView = Type.Object({
  number: Type.Integer({ minimum: 1 }),
  component: Component,
  item: Text,
  rate: Text,
  operation: Nullable,
  project: Nullable,
  region: Nullable,
  usageHour: Time,
  quantity: Decimal,
  unit: Text,
  waived: Decimal,
  pricingQuantity: Type.String({
    pattern: DECIMAL,
    description: 'quantity / per, rounded half-even to 12 decimals: to be read',
  }),
  pricingUnit: Text,
  unitPrice: Type.String({ pattern: DECIMAL, description: 'What is paid' }),
  listPrice: Type.String({ pattern: DECIMAL, description: 'The public price' }),
  priceList: Type.Union([Text, Type.Null()], {
    description: 'The price list that unitPrice is from; null: it is the public price',
  }),
  tier: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
    description: 'Of unitPrice, from 1; null: it has no tiers',
  }),
  listTier: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
    description: 'Of listPrice, from 1; null: it has no tiers',
  }),
  position: Type.Union([Decimal, Type.Null()], {
    description:
      'What the account had used of the rate before this line, in base units, since its month or its tiers began; null without tiers',
  }),
  amount: Type.String({
    pattern: DECIMAL,
    description:
      'quantity x unitPrice / per, where pricingUnit names per in base units: exact if its decimals end within 18 places, else rounded to 12',
  }),
  correction: Type.Boolean(),
  corrects: Nullable,
  priceVersion: Type.Integer(),
})
export type LineView = ValueOf<typeof LineView>

const HEAD = {
  id: Text,
  account: Text,
  cycle: Range,
  issuedAt: Time,
  currency: Text,
  demo: Type.Boolean(),
  late: Type.Boolean(),
  total: Decimal,
  components: Type.Object({ request: Decimal, processing: Decimal, storage: Decimal }),
  sequence: Type.Integer({ minimum: 1 }),
  statementMonth: Type.String({ pattern: '^\\d{4}-\\d{2}$' }),
  eventsDigest: Digest,
  linesDigest: Digest,
  digest: Digest,
  previousDigest: Type.Union([Digest, Type.Null()]),
}

export const BillHeadView = Type.Object(HEAD)
export type BillHeadView = ValueOf<typeof BillHeadView>
export const BillView = Type.Object({ ...HEAD, lines: Type.Array(LineView) })
export type BillView = ValueOf<typeof BillView>

/** A stored event as the CloudEvent that was sent, with extension attributes if it had some. */
export const SentEvent = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: Text,
    source: Text,
    type: Text,
    subject: Text,
    time: Time,
    data: Type.Unsafe<Json>(Type.Object({}, { additionalProperties: true })),
  },
  { additionalProperties: true, description: 'The CloudEvent that was sent' },
)
