import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { sameContent, type UsageEvent } from '../../core/ingest/event.ts'
import type { Assessment, HeldCode } from '../../core/rate/rating/assess.ts'
import { unusedUnits } from '../../core/rate/rating/unused-units.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import { copyEvents, type StoredEvent } from '../../store/events-table.ts'
import { insertHeldEvents, type HeldEvent } from '../../store/held-events.ts'
import { insertLateHours } from '../../store/late-hours.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import { findClosedHours } from '../../store/settled-hours.ts'
import type { Marks } from '../../store/deployment.ts'
import { insertBackfillHours } from '../../store/backfill-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { type CycleDecision, decideCycles, distinctHours } from './decide-cycle.ts'
import { readingTurns } from '../thread-turns.ts'
import { type Content, findKnown } from './find-known.ts'
import type { EventResult } from './ingest-types.ts'
import { keepRefusals } from './keep-refusals.ts'

/** A valid event on its way into the database. */
export interface Candidate extends StoredEvent {
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

/** Which events are looked up before they are stored. */
export type Suspects = 'all' | ReadonlySet<Candidate>

export interface GroupToCommit {
  readonly candidates: readonly Candidate[]
  readonly refused: readonly RefusedEvent[]
  readonly suspects: Suspects
}

export interface Committed {
  /** What became of each candidate, in order. */
  readonly results: readonly EventResult[]
  /** Those that were found to be stored already. */
  readonly repeats: readonly Candidate[]
}

/**
 * Store what is new of some events, inside a transaction that holds the gate: all rows of the group, with all that
 * is decided about them, or nothing. A repeat that is no suspect fails the transaction (23505).
 */
export async function commitEvents(
  client: pg.PoolClient,
  marks: Marks,
  { candidates, refused, suspects }: GroupToCommit,
  refuseConflict: RefuseConflict,
): Promise<Committed> {
  const { results, fresh, conflicts, repeats } = await tellApart(client, candidates, suspects)
  const decisionOf = await decideCycles(client, marks, fresh)
  await copyEvents(
    client,
    fresh,
    (event) => decisionOf(event).cycle,
    () => readingTurns.isOver(),
  )
  await noteHeld(client, marks.priceVersion, fresh)
  await noteWays(client, fresh, decisionOf)
  // Last: whoever refuses the same waits from here to the commit.
  await keepRefusals(client, [...refused, ...conflicts.map(refuseConflict)])
  return { results, repeats }
}

interface Apart extends Committed {
  /** In key order. */
  readonly fresh: readonly Candidate[]
  readonly conflicts: readonly Candidate[]
}

/** New, duplicate or conflict, against the database and against what came earlier in the same group. */
async function tellApart(sql: Sql, candidates: readonly Candidate[], suspects: Suspects): Promise<Apart> {
  // Stable: of equal keys, the one that came first stands first.
  const sorted = candidates.toSorted(compareKeys)
  const known = await findKnown(sql, suspects === 'all' ? sorted : sorted.filter((one) => suspects.has(one)))
  const fresh: Candidate[] = []
  const conflicts: Candidate[] = []
  const others = new Map<Candidate, EventResult>()
  let first: Content | undefined
  for (const [index, event] of sorted.entries()) {
    if (index === 0 || compareKeys(sorted[index - 1]!, event) !== 0) {
      first = known.get(event)
      if (first === undefined) {
        first = event
        fresh.push(event)
        continue
      }
    }
    if (sameContent(first!, event)) {
      others.set(event, duplicate(event))
    } else {
      conflicts.push(event)
      others.set(event, conflict(event))
    }
  }
  const results = candidates.map((event) => others.get(event) ?? resultOfNew(event))
  return { results, fresh, conflicts, repeats: [...known.keys()] }
}

/** What is answered of an event whose identity is new. */
export function resultOfNew({ id, usage, assessment }: Candidate): EventResult {
  if (assessment.outcome === 'held') {
    return { outcome: 'held', id, code: assessment.code, detail: assessment.detail }
  }
  const [unused] = unusedUnits(usage, assessment)
  if (unused === undefined) return { outcome: 'accepted', id, code: null, detail: null }
  const detail = `Accepted. data.quantities.${unused} is charged by no rate: leave it out, or check its name.`
  return { outcome: 'accepted', id, code: 'event/unused_unit', detail }
}

/** What is answered of an event that is stored already. */
export function duplicate({ id }: { readonly id: string | null }): EventResult {
  return { outcome: 'duplicate', id, code: null, detail: null }
}

export const CONFLICT_CODE = 'event/conflict'
export const CONFLICT_DETAIL =
  'Another event of this account, source and id, with other content, was accepted before: send new usage under a new id.'

/** What is answered of an event whose identity is taken by another content. */
export function conflict({ id }: Candidate): EventResult {
  return { outcome: 'conflict', id, code: CONFLICT_CODE, detail: CONFLICT_DETAIL }
}

async function noteHeld(sql: Sql, priceVersion: number, fresh: readonly Candidate[]): Promise<void> {
  const held = fresh.flatMap((event): HeldEvent[] => {
    const { assessment } = event
    if (assessment.outcome !== 'held') return []
    const { code, detail } = assessment
    return [{ ...event, code, subject: heldSubject(event, code), detail, priceVersion }]
  })
  if (held.length > 0) await run(sql, insertHeldEvents, held)
}

/** What the price book has to say something about: the operation, or the type. */
export function heldSubject({ usage, type }: Pick<UsageEvent, 'usage' | 'type'>, code: HeldCode): string {
  const isOfType = code === 'held/unmapped_unit' || usage === undefined || usage.component === 'storage'
  return isOfType ? type : usage.operation
}

async function noteWays(
  sql: Sql,
  fresh: readonly Candidate[],
  decisionOf: (event: Candidate) => CycleDecision,
): Promise<void> {
  const history = fresh.filter((event) => decisionOf(event).way === 'history')
  const late = fresh.filter((event) => decisionOf(event).way === 'late')
  if (history.length > 0) await noteHistory(sql, history)
  if (late.length > 0) {
    const keys = [...distinctHours(late).values()]
    await run(sql, insertLateHours, { cycle: decisionOf(late[0]!).cycle, keys })
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
  await run(sql, insertBackfillHours, touched)
  // In a statement of its own: it sees what the touch has waited for.
  const closed = await run(sql, findClosedHours, touched)
  if (closed.length > 0) throw new HourClosed()
}

/** The order of the primary key: two transactions that insert in different orders would deadlock. */
export function compareKeys(a: Candidate, b: Candidate): number {
  return (
    a.hour - b.hour ||
    a.bucket - b.bucket ||
    compareBytes(a.account, b.account) ||
    compareBytes(a.id, b.id) ||
    compareBytes(a.source, b.source)
  )
}
