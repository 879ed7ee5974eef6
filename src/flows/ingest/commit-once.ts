import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { invariant } from '../../core/invariant.ts'
import { heldSubject } from '../../core/rate/rating/assess.ts'
import type { Instant } from '../../core/time/instant.ts'
import { insertBackfillHours } from '../../store/backfill-hours.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { insertEvents } from '../../store/events-table.ts'
import { throughGate } from '../../store/gate.ts'
import { type HeldEvent, insertHeldEvents } from '../../store/held-events.ts'
import { insertLateHours } from '../../store/late-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { findClosedHours } from '../../store/settled-hours.ts'
import { keepRefusals } from '../shared/keep-refusals.ts'
import {
  distinctKeys,
  findKnown,
  findRefusedRepeats,
  resultOfNew,
  resultOfRefused,
  resultOfRepeat,
} from './classify.ts'
import { type CycleDecision, decideCycles, distinctHours } from './decide-cycle.ts'
import type { EventResult } from './ingest-types.ts'
import { type Candidate, isRefused, type Parsed, type ParsedEvent, refusedConflict } from './parse.ts'

export interface CommitContext {
  readonly pool: pg.Pool
  /** How often accounts had been closed or opened when the events were parsed. */
  readonly accountsVersion: number
  /** The version of the price book under which the events were parsed. */
  readonly priceVersion: number
  /** Days whose partitions are known to exist. Grows. */
  readonly days: Set<number>
  /** Event types that are noted as accepted. Grows. */
  readonly types: Set<string>
  /** Told the database's clock by each transaction. */
  readonly onClock: (now: Instant) => void
}

/** Where results go: an event has one as soon as it is durable. */
export type Results = Map<Parsed, EventResult>

/** Which rules have changed since the events were parsed. Nothing was stored. */
export type RulesChanged = 'prices' | 'accounts'

/** A backfill hour was settled while its events were being stored: decide again, and they are late. */
export class HourClosed extends Error {
  override readonly name = 'HourClosed'
}

/**
 * One transaction through the gate: watermarks, rows, commit. All rows of the events, with all that is decided about them,
 * or nothing.
 * @param results filled in after the commit
 * @throws HourClosed, and whatever the database fails with: nothing is stored
 */
export async function commitOnce(
  context: CommitContext,
  events: readonly Parsed[],
  results: Results,
): Promise<RulesChanged | undefined> {
  const committed = await throughGate(context.pool, 'shared', async (client, watermarks) => {
    if (watermarks.priceVersion !== context.priceVersion) return 'prices'
    if (watermarks.accountsVersion !== context.accountsVersion) return 'accounts'
    context.onClock(watermarks.now)
    return store(client, watermarks, events)
  })
  if (typeof committed === 'string') return committed
  for (const event of events) results.set(event, committed.get(event)!)
  return undefined
}

async function store(
  client: pg.PoolClient,
  watermarks: Watermarks,
  events: readonly Parsed[],
): Promise<ReadonlyMap<Parsed | Candidate, EventResult>> {
  const refused = events.filter(isRefused)
  const sent = events.filter((event): event is ParsedEvent => !isRefused(event))
  const candidates: readonly Candidate[] = [...sent, ...sent.flatMap(({ ending }) => ending ?? [])]
  const stored = await storeNew(client, watermarks, candidates)
  // After the others: what one of them has stored is known.
  const refusedRepeats = await findRefusedRepeats(client, refused)
  const kept = refused.filter((refusal) => !refusedRepeats.has(refusal))
  const conflicts = [
    ...candidates.filter((event) => stored.get(event)!.outcome === 'conflict'),
    ...[...refusedRepeats].flatMap(([{ event }, { outcome }]) =>
      event && outcome === 'conflict' ? event : [],
    ),
  ]
  // Last: others that refuse the same kind wait from here to the commit.
  await keepRefusals(client, [...kept, ...conflicts.map(refusedConflict)])
  const results = new Map<Parsed | Candidate, EventResult>(stored)
  for (const refusal of refused) {
    results.set(refusal, refusedRepeats.get(refusal) ?? resultOfRefused(refusal))
  }
  return results
}

/** Store the candidates whose keys are free, and tell the others apart. @returns the result of each */
async function storeNew(
  client: pg.PoolClient,
  watermarks: Watermarks,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<Candidate, EventResult>> {
  const { firsts, repeats } = distinctKeys(candidates)
  const decisionOf = await decideCycles(client, watermarks, firsts)
  const present = await insertEvents(client, firsts, (event) => decisionOf(event).cycle)
  const taken = new Set(present.map((index) => firsts[index]!))
  // In a statement of its own: it sees what the insert has waited for.
  const known = await findKnown(client, [...taken])
  invariant(known.size === taken.size, 'a key that was not inserted is in the table')
  const results = new Map<Candidate, EventResult>()
  for (const event of firsts) {
    results.set(event, taken.has(event) ? resultOfRepeat(known.get(event)!, event) : resultOfNew(event))
  }
  for (const [event, first] of repeats) results.set(event, resultOfRepeat(known.get(first) ?? first, event))
  const fresh = firsts.filter((event) => !taken.has(event))
  await noteHeld(client, watermarks.priceVersion, fresh)
  await noteAdjustments(client, fresh, decisionOf)
  return results
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

/** Put the work into settlement that new events of past hours make: hours to backfill, and late usage of older ones. */
async function noteAdjustments(
  sql: Sql,
  fresh: readonly Candidate[],
  decisionOf: (event: Candidate) => CycleDecision,
): Promise<void> {
  const backfill = fresh.filter((event) => decisionOf(event).disposition === 'backfill')
  const late = fresh.filter((event) => decisionOf(event).disposition === 'late')
  if (backfill.length > 0) await noteBackfill(sql, backfill)
  if (late.length > 0) {
    const keys = [...distinctHours(late).values()]
    await run(sql, insertLateHours, { cycle: decisionOf(late[0]!).cycle, keys })
  }
}

/**
 * Settlement carries stored data on into the next hour of an account's backfill, which it seals without the gate. So an
 * hour that was open when these events were decided on may be closed by now; from the touch on it stays as it is.
 * @throws HourClosed
 */
async function noteBackfill(sql: Sql, backfill: readonly Candidate[]): Promise<void> {
  const touched = [...groupBy(backfill, ({ writer }) => writer)].flatMap(([writer, group]) =>
    [...distinctHours(group).values()].map((key) => ({ ...key, writer })),
  )
  await run(sql, insertBackfillHours, touched)
  // In a statement of its own: it sees what the touch has waited for.
  const closed = await run(sql, findClosedHours, touched)
  if (closed.length > 0) throw new HourClosed()
}
