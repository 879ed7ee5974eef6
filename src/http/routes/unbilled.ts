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
import { PAGE } from '../../api/parameters.ts'
import { GetHeldEvents, GetHeldGroups, GetRefusalCounts, GetRefusedEvents } from '../../api/unbilled.ts'
import { accountOf } from '../access.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { route } from '../route.ts'

const READ_USAGE = { scope: 'usage:read', boundKeys: 'own' } as const

export const getHeldGroups = route({
  ...GetHeldGroups,
  access: READ_USAGE,
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('held', ['text', 'text'], query.cursor)
    const page = await listHeldGroups(reading, { account, after, limit: query.limit ?? PAGE })
    return { items: page.items.map(groupView), next: writeCursor('held', page.next) }
  },
})

export const getHeldEvents = route({
  ...GetHeldEvents,
  access: READ_USAGE,
  async handle({ query, key }, { reading }) {
    const { code, subject, limit = PAGE } = query
    const account = accountOf(key, query.account)
    const after = readCursor('held events', ['hour', 'bucket', 'text', 'text', 'text'], query.cursor)
    const page = await listHeldEvents(reading, { account, code, subject, after, limit })
    return { items: page.items.map(heldView), next: writeCursor('held events', page.next) }
  },
})

export const getRefusedEvents = route({
  ...GetRefusedEvents,
  access: READ_USAGE,
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const [before] = readCursor('refused', ['serial'], query.cursor) ?? []
    const page = await listRefusedEvents(reading, { account, before, limit: query.limit ?? PAGE })
    const next = writeCursor('refused', page.next === null ? null : [page.next])
    return { items: page.items.map(refusedView), next }
  },
})

export const getRefusalCounts = route({
  ...GetRefusalCounts,
  access: READ_USAGE,
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    const after = readCursor('refusals', ['text', 'text', 'text', 'text'], query.cursor)
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
