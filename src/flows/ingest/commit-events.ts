import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { sameContent, type UsageEvent } from '../../core/ingest/event.ts'
import type { Assessment } from '../../core/rate/assess.ts'
import { unusedUnits } from '../../core/rate/unused-units.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import type { Instant } from '../../core/time/instant.ts'
import { copyEvents, type StoredEvent } from '../../store/events-table.ts'
import { addHeldEvents, type HeldEvent } from '../../store/queries/add-held-events.ts'
import { addLateHours } from '../../store/queries/add-late-hours.ts'
import { addRefusedEvents, type RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { findClosedHours } from '../../store/queries/find-closed-hours.ts'
import { findEvents, type FoundEvent } from '../../store/queries/find-events.ts'
import type { Marks } from '../../store/queries/read-marks.ts'
import { touchHistoryHours } from '../../store/queries/touch-history-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { type CycleDecision, decideCycles, distinctHours } from './decide-cycle.ts'
import type { EventResult } from './ingest-types.ts'

/** A valid event on its way into the database. */
export interface Candidate extends UsageEvent {
  readonly bucket: number
  readonly receivedAt: Instant
  /** The import that sends it; '' for any other sender. */
  readonly writer: string
  /** By the newest price book. Never `rejected`: such events are refused before. */
  readonly assessment: Assessment
}

/** A refused event, and the event that it is refused for. */
export type RefuseConflict = (event: Candidate) => RefusedEvent

/** An hour was settled while its events were being stored as history: decide again, and they are late. */
export class HourClosed extends Error {
  override readonly name = 'HourClosed'
}

const HOURS_PER_DAY = 24
const ACCEPTED: EventResult = { outcome: 'accepted', id: null, code: null, detail: null }

/**
 * Store what is new of some events, inside a transaction that holds the gate: all rows of the group, with all that
 * is decided about them, or nothing.
 * @returns what became of each event, in order
 */
export async function commitEvents(
  client: pg.PoolClient,
  marks: Marks,
  candidates: readonly Candidate[],
  refused: readonly RefusedEvent[],
  refuseConflict: RefuseConflict,
): Promise<readonly EventResult[]> {
  const { results, fresh, conflicts } = await tellApart(client, candidates)
  fresh.sort(compareKeys)
  const cycleOf = await decideCycles(client, marks, fresh)
  const decided = fresh.map((event) => ({ event, decision: cycleOf(event) }))
  await copyEvents(
    client,
    decided.map(({ event, decision }): StoredEvent => ({ ...event, cycle: decision.cycle })),
  )
  await noteHeld(client, marks.priceVersion, fresh)
  await noteWays(client, decided)
  const refusals = [...refused, ...conflicts.map(refuseConflict)]
  if (refusals.length > 0) await run(client, addRefusedEvents, refusals)
  return results
}

interface Apart {
  readonly results: readonly EventResult[]
  readonly fresh: Candidate[]
  readonly conflicts: readonly Candidate[]
}

/** New, duplicate or conflict, against the database and against what stands earlier in the same group. */
async function tellApart(sql: Sql, candidates: readonly Candidate[]): Promise<Apart> {
  const known = await findKnown(sql, candidates)
  const fresh: Candidate[] = []
  const conflicts: Candidate[] = []
  const results = candidates.map((event): EventResult => {
    const name = keyName(event)
    const stored = known.get(name)
    if (stored === undefined) {
      known.set(name, event)
      fresh.push(event)
      return resultOfNew(event)
    }
    if (sameContent(stored, event)) return { ...ACCEPTED, outcome: 'duplicate', id: event.id }
    conflicts.push(event)
    return conflict(event)
  })
  return { results, fresh, conflicts }
}

function resultOfNew({ id, usage, assessment }: Candidate): EventResult {
  if (assessment.outcome === 'held') {
    return { outcome: 'held', id, code: assessment.code, detail: assessment.detail }
  }
  const [unused] = unusedUnits(usage, assessment)
  if (unused === undefined) return { ...ACCEPTED, id }
  const detail = `Accepted. data.quantities.${unused} is charged by no rate: leave it out, or check its name.`
  return { outcome: 'accepted', id, code: 'event/unused_unit', detail }
}

export const CONFLICT_CODE = 'event/conflict'
export const CONFLICT_DETAIL =
  'Another event of this account, source and id, with other content, was accepted before: send new usage under a new id.'

function conflict({ id }: Candidate): EventResult {
  return { outcome: 'conflict', id, code: CONFLICT_CODE, detail: CONFLICT_DETAIL }
}

/** What the database holds under the keys of these events: one probe for each UTC day. */
async function findKnown(
  sql: Sql,
  candidates: readonly Candidate[],
): Promise<Map<string, Pick<FoundEvent, 'type' | 'at' | 'data'>>> {
  const days = groupBy(candidates, ({ hour }) => Math.floor(hour / HOURS_PER_DAY))
  const known = new Map<string, Pick<FoundEvent, 'type' | 'at' | 'data'>>()
  for (const [day, keys] of days) {
    const range = { from: day * HOURS_PER_DAY, to: (day + 1) * HOURS_PER_DAY } as Pick<
      Parameters<typeof findEvents.values>[0],
      'from' | 'to'
    >
    for (const found of await run(sql, findEvents, { ...range, keys })) {
      known.set(keyName(keys[found.index]!), found)
    }
  }
  return known
}

async function noteHeld(sql: Sql, priceVersion: number, fresh: readonly Candidate[]): Promise<void> {
  const held = fresh.flatMap((event): HeldEvent[] => {
    const { assessment } = event
    if (assessment.outcome !== 'held') return []
    const { code, detail } = assessment
    return [{ ...event, code, subject: heldSubject(event), detail, priceVersion }]
  })
  if (held.length > 0) await run(sql, addHeldEvents, held)
}

/** What of a held event is unknown: its operation, or its type. */
export function heldSubject({ usage, type }: Pick<UsageEvent, 'usage' | 'type'>): string {
  return usage && 'operation' in usage ? usage.operation : type
}

async function noteWays(
  sql: Sql,
  decided: readonly { readonly event: Candidate; readonly decision: CycleDecision }[],
): Promise<void> {
  const history = decided.filter(({ decision }) => decision.way === 'history')
  const late = decided.filter(({ decision }) => decision.way === 'late')
  if (history.length > 0)
    await noteHistory(
      sql,
      history.map(({ event }) => event),
    )
  if (late.length > 0) {
    const keys = distinctHours(late.map(({ event }) => event))
    await run(sql, addLateHours, { cycle: late[0]!.decision.cycle, keys: [...keys.values()] })
  }
}

/**
 * Settlement carries stored data on into the next hour of an account's history, which it seals without the gate. So an
 * hour that was open when these events were decided on may be closed by now; from the touch on it stays as it is.
 * @throws HourClosed
 */
async function noteHistory(sql: Sql, history: readonly Candidate[]): Promise<void> {
  const touched = [...groupBy(history, ({ writer }) => writer)].flatMap(([writer, group]) =>
    [...distinctHours(group).values()].map((key) => ({ ...key, writer })),
  )
  await run(sql, touchHistoryHours, touched)
  // In a statement of its own: it sees what the touch has waited for.
  const closed = await run(sql, findClosedHours, touched)
  if (closed.length > 0) throw new HourClosed()
}

/** The order of the primary key: two transactions that insert in different orders would deadlock. */
function compareKeys(a: Candidate, b: Candidate): number {
  return (
    a.hour - b.hour ||
    a.bucket - b.bucket ||
    compareBytes(a.account, b.account) ||
    compareBytes(a.id, b.id) ||
    compareBytes(a.source, b.source)
  )
}

/** U+0000 cannot occur in any part, so different keys have different names. */
function keyName({ hour, account, id, source }: Candidate): string {
  return `${hour}\0${account}\0${id}\0${source}`
}
