import Type from 'typebox'
import { USAGE_GROUPS } from '../flows/read/read-usage.ts'
import { endpoint, type ValueOf } from './endpoint.ts'
import { optionalText, PageParameters, parameter, TimeParameter } from './parameters.ts'
import { Component, Decimal, Nullable, Text, Time } from './views.ts'

export const UsageQuery = Type.Object({
  account: optionalText(
    'Whose usage. Left out: that of all accounts, or of the one that the key is bound to',
  ),
  from: { ...TimeParameter, description: 'Hours that start at this time or later' },
  to: { ...TimeParameter, description: 'Hours that start before this time' },
  window: Type.Optional(
    parameter(
      Type.Enum(['hour', 'day', 'month'], { default: 'hour', description: 'Calendar windows of UTC' }),
      'send hour, day or month',
    ),
  ),
  groupBy: Type.Optional(
    parameter(
      Type.String({ description: 'Names with commas between them', examples: ['component,item'] }),
      `send some of ${USAGE_GROUPS.join(', ')}, with commas between them`,
    ),
  ),
  ...PageParameters,
})

export const UsageRow = Type.Object({
  from: Time,
  to: Time,
  account: Type.Optional(Text),
  component: Type.Optional(Component),
  item: Type.Optional(Text),
  operation: Type.Optional(Nullable),
  project: Type.Optional(Nullable),
  region: Type.Optional(Nullable),
  quantity: Decimal,
  unit: Text,
  waived: Decimal,
  amount: Decimal,
})
export type UsageRow = ValueOf<typeof UsageRow>

export const GetUsage = endpoint({
  method: 'GET',
  url: '/v1/usage',
  tag: 'Usage',
  summary: 'What an account has used, or all have, by the hour in which it happened, until now',
  description:
    'Adds up what bills say and what is on no bill yet, by the hour in which the usage happened. Voided usage is left out. At most 31 days by hour, 366 days by day, ten years by month.',
  refusals: [422],
  query: UsageQuery,
  answers: {
    200: Type.Object({
      items: Type.Array(UsageRow),
      next: Nullable,
      asOf: Type.String({ format: 'date-time', description: 'What is on no bill yet is counted until then' }),
      currency: Text,
    }),
  },
})
