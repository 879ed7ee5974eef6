import { Compile } from 'typebox/compile'
import { voidView } from '../../core/present/void-view.ts'
import { nearest } from '../../core/text/nearest.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { refuseText } from '../../core/text/well-formed.ts'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { listVoids } from '../../flows/voids/list-voids.ts'
import { type OrderVoids, orderVoids } from '../../flows/voids/order-voids.ts'
import { readVoidReason } from '../../flows/voids/read-void-reason.ts'
import { PAGE } from '../../api/parameters.ts'
import { GetVoids, PostVoids, VoidOrder } from '../../api/voids.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { readJsonBody } from '../body/read-json.ts'
import { HttpProblem, shown } from '../api/problem.ts'
import { invalidParameter, readHourRange, readInstant, requireShort } from '../api/parameters.ts'
import { route } from '../route.ts'

/** Hours of usage that one order may mean: two months. */
export const VOID_RANGE_HOURS_MAX = 62 * 24

const order = Compile(VoidOrder)
const MEMBERS = Object.keys(VoidOrder.properties)

/** Voids usage, a part of the order with each call; the same body with `cursor` set to `next` goes on. */
export const postVoids = route({
  ...PostVoids,
  access: { scope: 'admin', boundKeys: 'none' },
  async handle({ query, body, key }, { writing }) {
    const asked = readOrder(body)
    const reason = readVoidReason(asked.reason)
    if (!reason.ok) throw new HttpProblem(reason.code, reason.detail)
    const after = readCursor('void', ['hour', 'text', 'text'], query.cursor)
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
function readOrder(body: Buffer): VoidOrder {
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

function selectionOf(asked: VoidOrder): OrderVoids['select'] {
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

export const getVoids = route({
  ...GetVoids,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('voids', ['hour', 'bucket', 'text', 'text', 'text'], query.cursor)
    const { limit = PAGE } = query
    const page = await listVoids(reading, { account, ...readHourRange(query), after, limit })
    return { items: page.items.map(voidView), next: writeCursor('voids', page.next) }
  },
})
