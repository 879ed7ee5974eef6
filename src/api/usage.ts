import Type from 'typebox'
import { USAGE_GROUPS } from '../flows/read/read-usage.ts'
import { endpoint, type ValueOf } from './endpoint.ts'
import { optionalText, PageParameters, parameter, TimeParameter } from './parameters.ts'
import { Component, Decimal, Nullable, Text, Time } from './views.ts'

/** Groups that one question may be told apart by at most, tags included. */
export const USAGE_GROUPS_MAX = 10
/** Filters of one question at most. */
export const USAGE_FILTERS_MAX = 100
/** Groups that `top` may ask for. */
export const USAGE_TOP_MAX = 1000

const FILTER_FIX = `send GROUP=VALUE, where GROUP is one of ${USAGE_GROUPS.join(', ')} or tag:NAME, and VALUE is empty for an absent name`
const GROUP_FIX = `send some of ${USAGE_GROUPS.join(', ')}, tag:NAME, with commas between them`

export const UsageQuery = Type.Object({
  account: optionalText(
    'Whose usage. Left out: that of all accounts, or of the one that the key is bound to',
  ),
  from: {
    ...TimeParameter,
    description: 'Usage from here on: a month or date in `timeZone`, or an instant on the hour',
  },
  to: {
    ...TimeParameter,
    description: 'Usage before this: a month or date in `timeZone`, or an instant on the hour',
  },
  window: Type.Optional(
    parameter(
      Type.Enum(['hour', 'day', 'month', 'none'], {
        default: 'hour',
        description: 'Calendar windows of `timeZone`; none: the whole range is one',
      }),
      'send hour, day, month or none',
    ),
  ),
  timeZone: Type.Optional(
    parameter(
      Type.String({
        minLength: 1,
        default: 'UTC',
        description: 'An IANA name; account: the months and days of each account, as its bills have them',
        examples: ['Asia/Kolkata', 'account'],
      }),
      'send an IANA name such as Europe/Paris, or account',
    ),
  ),
  groupBy: Type.Optional(
    parameter(
      Type.Array(Type.String(), {
        description: 'Names with commas between them, or one each as a parameter of its own',
        examples: [['component,item'], ['tag:plan']],
      }),
      GROUP_FIX,
    ),
  ),
  filter: Type.Optional(
    parameter(
      Type.Array(Type.String(), {
        maxItems: USAGE_FILTERS_MAX,
        description:
          'GROUP=VALUE, each as a parameter of its own: of one group any of its values, of several groups all of them',
        examples: [['item=ImageDetect', 'project=']],
      }),
      FILTER_FIX,
    ),
  ),
  basis: Type.Optional(
    parameter(
      Type.Enum(['usage', 'bill'], {
        default: 'usage',
        description:
          'usage: by the hour in which it happened, billed yet or not. bill: by the bill that has it; months are statement months',
      }),
      'send usage or bill',
    ),
  ),
  order: Type.Optional(
    parameter(
      Type.Enum(['key', 'amount', '-amount'], {
        description: 'Of the rows of a window. With `top` it is -amount unless told',
      }),
      'send key, amount or -amount',
    ),
  ),
  top: Type.Optional(
    parameter(
      Type.Integer({
        minimum: 1,
        maximum: USAGE_TOP_MAX,
        description: 'So many groups, those with the largest amounts; the rest is one row `others`',
      }),
      `send a whole number from 1 to ${USAGE_TOP_MAX}`,
    ),
  ),
  compare: Type.Optional(
    parameter(
      Type.String({
        minLength: 1,
        description:
          'Another period: previous, the one before (of one that runs the same number of hours), or a range with a slash. The window is none',
        examples: ['previous', '2025-06/2025-07'],
      }),
      'send previous, or a range such as 2025-06/2025-07',
    ),
  ),
  ...PageParameters,
})
export type UsageQuery = ValueOf<typeof UsageQuery>

const Used = Type.Object({ unit: Text, quantity: Decimal, waived: Decimal, amount: Decimal })

const Total = Type.Object({ amount: Decimal, quantities: Type.Array(Used) })

const CHANGE = {
  before: Total,
  difference: Type.String({
    ...Decimal,
    description: 'The amount less that of before: the sum of the parts',
  }),
  parts: Type.Object(
    {
      used: Decimal,
      price: Decimal,
      new: Decimal,
      gone: Decimal,
      corrections: Decimal,
    },
    {
      description:
        'used: (q2 - q1) x average price before, half-even to 12 decimals, by line key; price: the rest; new and gone: line keys of one period alone; corrections: lines for older hours, by bill',
    },
  ),
}

export const UsageRow = Type.Object({
  from: Time,
  to: Time,
  ownRanges: Type.Optional(
    Type.Literal(true, {
      description:
        'The accounts of this row have ranges of their own, in their time zones; from and to are the first and the last of them',
    }),
  ),
  account: Type.Optional(Text),
  component: Type.Optional(Component),
  item: Type.Optional(Text),
  rate: Type.Optional(Text),
  operation: Type.Optional(Nullable),
  project: Type.Optional(Nullable),
  region: Type.Optional(Nullable),
  tags: Type.Optional(
    Type.Record(Type.String(), Nullable, { description: 'As they are now; null: the account has none' }),
  ),
  others: Type.Optional(
    Type.Integer({ minimum: 1, description: 'The row is the sum of so many groups that are not listed' }),
  ),
  amount: Decimal,
  quantities: Type.Array(Used, { description: 'By unit' }),
  change: Type.Optional(Type.Object(CHANGE)),
})
export type UsageRow = ValueOf<typeof UsageRow>

const HeldReason = Type.Object({
  code: Text,
  subject: Text,
  events: Type.Integer(),
  quantities: Type.Union([Type.Array(Type.Object({ unit: Text, quantity: Decimal })), Type.Null()], {
    description: 'What the events say that they used; null: there are too many to read them',
  }),
})

export const Held = Type.Object(
  { events: Type.Integer(), reasons: Type.Array(HeldReason) },
  { description: 'Usage of the range that waits for a price: no part of any sum' },
)

export const GetUsage = endpoint({
  method: 'GET',
  url: '/v1/usage',
  tag: 'Usage',
  summary: 'What an account has used and what it costs, or all accounts, until now',
  description:
    'Adds up what bills say and, by the hour of the usage, what is on no bill yet. Voided usage is left out. At most 32 days by hour, 368 days by day, ten years by month.',
  refusals: [410, 422],
  query: UsageQuery,
  answers: {
    200: Type.Object({
      items: Type.Array(UsageRow),
      next: Nullable,
      asOf: Type.String({ format: 'date-time', description: 'What is on no bill yet is counted until then' }),
      currency: Text,
      from: Time,
      to: Time,
      timeZone: Text,
      basis: Type.Enum(['usage', 'bill']),
      total: Type.Object({ ...Total.properties }, { description: 'Of all rows' }),
      comparison: Type.Optional(
        Type.Object({ from: Time, to: Time, ...CHANGE }, { description: 'Of all rows, with `compare`' }),
      ),
      held: Held,
    }),
  },
})
