import Type from 'typebox'
import { heldAdvice } from '../../core/present/held-advice.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import {
  listHeldEvents,
  listHeldGroups,
  listRefusalCounts,
  listRefusedEvents,
} from '../../flows/read/read-unbilled.ts'
import type { HeldGroup, HeldRow } from '../../store/held-events.ts'
import type { RefusalCount, RefusedRow } from '../../store/refusals.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { optionalText, PAGE, PageParameters } from '../api/parameters.ts'
import { pageOf, route } from '../route.ts'
import { Nullable, Text, Time } from '../api/views.ts'

const READ_USAGE = { scope: 'usage:read', boundKeys: 'own' } as const

const Group = Type.Object({
  code: Text,
  subject: Type.String({ description: 'The operation or event type that is unknown' }),
  events: Type.Integer(),
  accounts: Type.Integer(),
  firstHour: Time,
  lastHour: Time,
  advice: Type.String({ description: 'What to do, so that they are billed' }),
})

export const getHeldGroups = route({
  method: 'GET',
  url: '/v1/held-events',
  access: READ_USAGE,
  summary:
    'Usage that cannot be priced yet, by reason. It is billed once a price book that covers it is published',
  query: Type.Object({ account: optionalText('Only usage of this account'), ...PageParameters }),
  answers: { 200: pageOf(Group) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('held', ['string', 'string'], query.cursor)
    const page = await listHeldGroups(reading, { account, after, limit: query.limit ?? PAGE })
    return { items: page.items.map(groupView), next: writeCursor('held', page.next) }
  },
})

const Held = Type.Object({
  account: Text,
  id: Text,
  source: Text,
  hour: Time,
  code: Text,
  subject: Text,
  detail: Text,
  heldAt: Time,
})

export const getHeldEvents = route({
  method: 'GET',
  url: '/v1/held-events/events',
  access: READ_USAGE,
  summary: 'The held events one by one, or those of one reason',
  query: Type.Object({
    account: optionalText('Only usage of this account'),
    code: optionalText('Only events held for this code'),
    subject: optionalText('Only events of this unknown operation or type'),
    ...PageParameters,
  }),
  answers: { 200: pageOf(Held) },
  async handle({ query, key }, { reading }) {
    const { code, subject, limit = PAGE } = query
    const account = accountOf(key, query.account)
    const after = readCursor('held events', ['int', 'int', 'string', 'string', 'string'], query.cursor)
    const page = await listHeldEvents(reading, { account, code, subject, after, limit })
    return { items: page.items.map(heldView), next: writeCursor('held events', page.next) }
  },
})

export const Refused = Type.Object({
  number: Type.Integer({
    description: 'In the order in which they were refused first; those of one commit in any',
  }),
  times: Type.Integer({ description: 'How many there were that are equal in everything' }),
  firstAt: Time,
  lastAt: Time,
  outcome: Type.Enum(['rejected', 'conflict']),
  account: Nullable,
  source: Nullable,
  id: Nullable,
  code: Text,
  detail: Text,
  body: Type.String({ description: 'The beginning of what was sent' }),
})

export const getRefusedEvents = route({
  method: 'GET',
  url: '/v1/refused-events',
  access: READ_USAGE,
  summary:
    'What was not accepted, equal ones once, newest first: rejected, or in conflict with an event that was there',
  query: Type.Object({ account: optionalText('Only events of this account'), ...PageParameters }),
  answers: { 200: pageOf(Refused) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const [before] = readCursor('refused', ['bigint'], query.cursor) ?? []
    const page = await listRefusedEvents(reading, { account, before, limit: query.limit ?? PAGE })
    const next = writeCursor('refused', page.next === null ? null : [page.next])
    return { items: page.items.map(refusedView), next }
  },
})

const Count = Type.Object({
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'Null: it could not be read, or there are too many kinds to count this one by name',
  }),
  source: Nullable,
  code: Text,
  outcome: Type.Enum(['rejected', 'conflict']),
  times: Type.Integer(),
  firstAt: Time,
  lastAt: Time,
})

export const getRefusalCounts = route({
  method: 'GET',
  url: '/v1/refused-events/counts',
  access: READ_USAGE,
  summary: 'How often what was refused, since the beginning, by account, source and code',
  query: Type.Object({ account: optionalText('Only events of this account'), ...PageParameters }),
  answers: { 200: pageOf(Count) },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('refusals', ['string', 'string', 'string', 'string'], query.cursor)
    const page = await listRefusalCounts(reading, { account, after, limit: query.limit ?? PAGE })
    return { items: page.items.map(timesView), next: writeCursor('refusals', page.next) }
  },
})

function groupView({ firstHour, lastHour, ...group }: HeldGroup) {
  const hours = { firstHour: formatHourStart(firstHour), lastHour: formatHourStart(lastHour) }
  return { ...group, ...hours, advice: heldAdvice(group.code) }
}

function heldView({ account, id, source, hour, code, subject, detail, heldAt }: HeldRow) {
  const times = { hour: formatHourStart(hour), heldAt: formatInstant(heldAt) }
  return { account, id, source, code, subject, detail, ...times }
}

export function refusedView(event: RefusedRow) {
  return timesView(event)
}

function timesView<Row extends RefusedRow | RefusalCount>({ firstAt, lastAt, ...row }: Row) {
  return { ...row, firstAt: formatInstant(firstAt), lastAt: formatInstant(lastAt) }
}
