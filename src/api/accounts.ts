import Type from 'typebox'
import { endpoint, pageOf, type ValueOf } from './endpoint.ts'
import { PageParameters } from './parameters.ts'
import { Decimal, Nullable, NullableTime, Text, Time } from './views.ts'

const params = Type.Object({ account: Type.String({ description: 'The subject of its events' }) })

const Tags = Type.Record(Type.String(), Type.String())

export const Account = Type.Object({
  account: Text,
  name: Nullable,
  timeZone: Type.String({ description: 'The newest one' }),
  timeZones: Type.Array(Type.Object({ fromMonth: Text, timeZone: Text }), {
    description: 'From which statement month on which time zone counts; UTC before the first',
  }),
  tags: Tags,
  priceLists: Type.Array(Type.Object({ list: Nullable, from: Time }), {
    description:
      'From which hour on it pays by which price list; null: the public prices, as before the first',
  }),
  closed: NullableTime,
  createdAt: Type.Union([...NullableTime.anyOf], {
    description: 'Null: it was billed, and nothing is said about it',
  }),
  updatedAt: NullableTime,
})
export type Account = ValueOf<typeof Account>

/** One account, with what follows from its price lists. */
export const AccountDetail = Type.Object({
  ...Account.properties,
  waitingTiers: Type.Array(
    Type.Object({ item: Text, rate: Text, list: Nullable, from: Time, countsFrom: Time }),
    { description: 'Tiers of an entry of `priceLists` that count from the account’s next month' },
  ),
  minimum: Type.Union(
    [
      Type.Object({ amount: Decimal, per: Type.Literal('month'), priceList: Text, fromMonth: Text }),
      Type.Null(),
    ],
    { description: 'What is due for each month at least, from which month on; no hourly bill has it' },
  ),
})
export type AccountDetail = ValueOf<typeof AccountDetail>

export const ChangedAccount = Type.Object(
  {
    name: Type.Optional(Nullable),
    timeZone: Type.Optional(Nullable),
    tags: Type.Optional(Type.Union([Tags, Type.Null()])),
    priceLists: Type.Optional(
      Type.Array(
        Type.Object({ list: Nullable, from: Type.Optional(Nullable) }, { additionalProperties: false }),
        {
          description:
            'All of them: entries that have begun are repeated. Without `from`: from the next hour on',
        },
      ),
    ),
    // Without `format`: what is wrong with a time is said by our own reader.
    closed: Type.Optional(Nullable),
  },
  { additionalProperties: false, description: 'What is left out stays as it is; null takes it away' },
)

export const GetAccounts = endpoint({
  method: 'GET',
  url: '/v1/accounts',
  tag: 'Accounts',
  summary: 'Accounts that are known or were billed, by name',
  description: 'Lists accounts by name, with time zone, tags and whether they are closed.',
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Account) },
})

export const GetAccount = endpoint({
  method: 'GET',
  url: '/v1/accounts/:account',
  tag: 'Accounts',
  summary: 'One account',
  description: 'Gives one account. In the address the account is percent-encoded: `a/b` is `a%2Fb`.',
  params,
  answers: { 200: AccountDetail },
})

export const PutAccount = endpoint({
  method: 'PUT',
  url: '/v1/accounts/:account',
  idempotent: true,
  tag: 'Accounts',
  summary: 'Make an account known, and set its name, time zone and tags; close it, or open it again',
  description:
    'Makes an account known, changes what is said about it, closes it or opens it again. What is left out stays as it is; null takes it away. 201: it was not known before.',
  params,
  body: { 'application/json': ChangedAccount },
  answers: { 200: AccountDetail, 201: AccountDetail },
})
