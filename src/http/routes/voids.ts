import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { VOID_EFFECTS, voidView } from '../../core/present/void-view.ts'
import { nearest } from '../../core/text/nearest.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { refuseText } from '../../core/text/well-formed.ts'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { listVoids } from '../../flows/voids/list-voids.ts'
import { type OrderVoids, orderVoids } from '../../flows/voids/order-voids.ts'
import { readVoidReason } from '../../flows/voids/read-void-reason.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import {
  invalidParameter,
  optionalText,
  optionalTime,
  PAGE,
  PageParameters,
  parameter,
  readHourRange,
  readInstant,
  requireShort,
} from '../api/parameters.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Decimal, Nullable, NullableTime, Range, Text, Time } from '../api/views.ts'

/** Hours of usage that one order may mean: two months. */
export const VOID_RANGE_HOURS_MAX = 62 * 24
/** Characters of a name in an order: longer than any id. */
const NAME_LENGTH_MAX = 512

const Name = (description: string) => Type.String({ minLength: 1, maxLength: NAME_LENGTH_MAX, description })

const Order = Type.Object(
  {
    account: Name('Whose events'),
    id: Type.Optional(Name('All events of this id, under whatever time. Or a range, but not both')),
    source: Type.Optional(Name('Only events of this source')),
    from: Type.Optional(Type.String({ description: 'Usage of this time or later. Of an id: of its hour' })),
    to: Type.Optional(Type.String({ description: 'Usage before this time. Of an id: before its hour' })),
    type: Type.Optional(Name('Of a range: only events of this type')),
    operation: Type.Optional(Name('Of a range: only usage of this operation')),
    project: Type.Optional(Name('Of a range: only usage of this project')),
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'Of a range: only requests answered so' }),
    ),
    reason: Type.Optional(Type.String({ description: 'Why: one line, kept with each event' })),
  },
  { additionalProperties: false },
)
type Order = Static<typeof Order>

const order = Compile(Order)
const MEMBERS = Object.keys(Order.properties)

const Answer = Type.Object({
  account: Text,
  dryRun: Type.Boolean(),
  events: Type.Integer({ description: 'Events that are meant, in this part of the order' }),
  voided: Type.Integer({ description: 'Taken back now; in a dry run: would be' }),
  alreadyVoided: Type.Integer({ description: 'Were taken back before: nothing changes' }),
  held: Type.Integer({ description: 'Of those voided: had no price' }),
  copies: Type.Integer({ description: 'Of those voided: another event of the identity counts' }),
  levels: Type.Integer({ description: 'Of those voided: stored data, whose hours are computed anew' }),
  storage: Type.Union([Decimal, Type.Null()], {
    description:
      'What these change in settled hours, below 0 when less is charged. In a dry run of several parts the last one says it for all, and those before it with levels say null. Otherwise null: the next bill says it',
  }),
  givenBack: Decimal,
  notBilled: Decimal,
  currency: Text,
  doneUntil: NullableTime,
  next: Nullable,
})

/** Takes usage back, a part of the order with each call; the same body with `cursor` set to `next` goes on. */
export const postVoids = route({
  method: 'POST',
  url: '/v1/voids',
  access: { scope: 'admin', boundKeys: 'none' },
  summary: 'Take usage back: an event, or a range. With dryRun=true: say what that would come to',
  query: Type.Object({
    dryRun: Type.Optional(
      parameter(Type.Enum(['true', 'false'], { description: 'Change nothing' }), 'send true or false'),
    ),
    cursor: PageParameters.cursor,
  }),
  body: { 'application/json': Order },
  answers: { 200: Answer },
  async handle({ query, body, key }, { writing }) {
    const asked = readOrder(body)
    const reason = readVoidReason(asked.reason)
    if (!reason.ok) throw new HttpProblem(reason.code, reason.detail)
    const after = readCursor('void', ['int', 'string', 'string'], query.cursor)
    const isDryRun = query.dryRun === 'true'
    const { account } = asked
    const select = selectionOf(asked)
    const ordered = { account, select, isDryRun, after, actor: key!.id, reason: reason.reason }
    const done = await orderVoids(writing, ordered)
    if (!done.ok) throw new HttpProblem(done.code, done.detail)
    const { ok: _, next, currency, ...counts } = done
    const doneUntil = next && formatHourStart(next[0] as Hour)
    return { account, dryRun: isDryRun, ...counts, currency, doneUntil, next: writeCursor('void', next) }
  },
})

/** A JSON object of known members, whose texts can be stored. */
function readOrder(body: Buffer): Order {
  const value: Json = readJsonBody(body)
  if (!order.Check(value)) throw invalidBody(value)
  const bad = Object.entries(value).find(
    ([, text]) => typeof text === 'string' && refuseText(text) !== undefined,
  )
  if (bad === undefined || bad[0] === 'reason') return value
  const detail = `${bad[0]} has U+0000 or half of a surrogate pair, as no event has: correct it.`
  throw new HttpProblem('request/invalid_body', detail)
}

function invalidBody(value: Json): HttpProblem {
  const errors = order.Errors(value)
  const extra = errors.find(({ keyword }) => keyword === 'additionalProperties')
  const forms =
    'send {"account","id","reason"}, or {"account","from","to","reason"} and more of what is meant'
  if (extra) {
    const [name = ''] = (extra.params as { additionalProperties: string[] }).additionalProperties
    const meant = nearest(name, MEMBERS)
    const advice = meant ? `did you mean ${meant}?` : `send only ${MEMBERS.join(', ')}.`
    return new HttpProblem('request/invalid_body', `The body has an unknown member ${shown(name)}: ${advice}`)
  }
  const [first] = errors
  const place = first?.instancePath.slice(1) || 'the body'
  return new HttpProblem('request/invalid_body', `${place} ${first?.message}: ${forms}.`)
}

function selectionOf(asked: Order): OrderVoids['select'] {
  const { id, source, from, to, type, operation, project, status } = asked
  if (id !== undefined) {
    const extra = (['type', 'operation', 'project', 'status'] as const).find(
      (name) => asked[name] !== undefined,
    )
    if (extra !== undefined) {
      const detail = `There are both id and ${extra}: an id means all of its events. Leave one of them out.`
      throw new HttpProblem('void/unclear_selection', detail)
    }
    const range = readHourRange({
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })
    return { by: 'id', id, source, ...range }
  }
  if (from === undefined || to === undefined) {
    const detail = 'It is not clear which events are meant: send id, or both from and to.'
    throw new HttpProblem('void/unclear_selection', detail)
  }
  requireShort(readHourRange({ from, to }), VOID_RANGE_HOURS_MAX, '62 days')
  const times = { from: readInstant('from', from), to: readInstant('to', to) }
  if (times.from >= times.to) throw invalidParameter('to', to, 'send a time after from')
  return { by: 'range', filter: { ...times, source, type, operation, project, status } }
}

const Void = Type.Object({
  account: Text,
  id: Text,
  source: Text,
  hour: Time,
  effect: Type.Enum([...VOID_EFFECTS]),
  cycle: Type.Object(Range.properties, { description: 'The hour among whose facts the void is' }),
  counted: NullableTime,
  orderedAt: Time,
  orderedBy: Text,
  reason: Text,
  bill: Nullable,
})

export const getVoids = route({
  method: 'GET',
  url: '/v1/voids',
  access: { scope: 'usage:read', boundKeys: 'own' },
  summary: 'Usage that was taken back, by usage hour: by whom, why, and what became of it',
  query: Type.Object({
    account: optionalText('Only events of this account'),
    from: optionalTime('Only events that happened in hours that start at this time or later'),
    to: optionalTime('Only events that happened in hours that start before this time'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Void) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('voids', ['int', 'int', 'string', 'string', 'string'], query.cursor)
    const { limit = PAGE } = query
    const page = await listVoids(reading, { account, ...readHourRange(query), after, limit })
    return { items: page.items.map(voidView), next: writeCursor('voids', page.next) }
  },
})
