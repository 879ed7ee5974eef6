import Type from 'typebox'
import type { ValueOf } from './endpoint.ts'
import { Component, Decimal, Nullable, Range, Text, Time } from './views.ts'

const NullableDecimal = Type.Union([Decimal, Type.Null()])

export const ChargeView = Type.Object({
  component: Component,
  item: Text,
  rate: Text,
  operation: Nullable,
  project: Nullable,
  region: Nullable,
  quantity: Type.Union([Decimal, Type.Null()], {
    description: 'Null for stored data: it depends on how long the level lasts',
  }),
  unit: Text,
  waived: NullableDecimal,
  pricingQuantity: NullableDecimal,
  pricingUnit: Text,
  unitPrice: Type.Union([Decimal, Type.Null()], { description: 'Null: unknown until it is filled in' }),
  listPrice: Type.Union([Decimal, Type.Null()], { description: 'The public price' }),
  priceList: Type.Union([Text, Type.Null()], { description: 'That unitPrice is from; null: the public one' }),
  tier: Type.Union([Type.Integer(), Type.Null()], { description: 'Of unitPrice; one charge for each tier' }),
  listTier: Type.Union([Type.Integer(), Type.Null()], { description: 'Of listPrice' }),
  position: Type.Union([Decimal, Type.Null()], {
    description:
      'Where the bills of the account have left the rate, which the charge assumes; null without tiers',
  }),
  amount: Type.Union([Decimal, Type.Null()], {
    description: 'Of the event by itself; null for stored data, where it depends on how long the level lasts',
  }),
  amountPerHour: Type.Union([Decimal, Type.Null()], { description: 'Of a level: for each whole hour' }),
  free: Type.Union([Text, Type.Null()], { description: 'Why nothing is charged; null: it is' }),
  illustrative: Type.Boolean({ description: 'The price is made up, for a demo' }),
  priceFrom: Time,
  priceVersion: Type.Integer(),
})
export type ChargeView = ValueOf<typeof ChargeView>

const Cycle = Type.Object({
  ...Range.properties,
  disposition: Type.Enum(['live', 'backfill', 'late'], {
    description: 'Its own open hour; its own hour, billed afterwards; the open hour, as a correction',
  }),
})

/** What a dry run says of one event. */
export const TriedEvent = Type.Object({
  index: Type.Integer({ description: 'Which element of the body, from 0' }),
  id: Nullable,
  outcome: Type.Enum(['accepted', 'duplicate', 'conflict', 'held', 'rejected']),
  code: Nullable,
  detail: Nullable,
  cycle: Type.Union([Cycle, Type.Null()], {
    description: 'The hour in whose bill it would count; null for what is not new or not accepted',
  }),
  charges: Type.Array(ChargeView, {
    description: 'What it would cost: one for each rate; none without a fee',
  }),
})
export type TriedEvent = ValueOf<typeof TriedEvent>

/** What a dry run adds to the answer; absent otherwise. */
export const DRY_RUN_MEMBERS = {
  dryRun: Type.Optional(Type.Literal(true)),
  currency: Type.Optional(Text),
  events: Type.Optional(Type.Array(TriedEvent, { description: 'Every event, in order' })),
}
