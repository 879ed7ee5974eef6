import { groupBy } from '../../core/group-by.ts'
import { CONFLICT_CODE, CONFLICT_DETAIL } from '../../core/ingest/conflict.ts'
import { sameContent } from '../../core/ingest/event.ts'
import { remarkOn } from '../../core/rate/rating/remark.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import type { Hour } from '../../core/time/hour.ts'
import { run, type Sql } from '../../store/query.ts'
import { findEvents, type FoundEvent } from '../../store/usage-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { EventResult } from './ingest-types.ts'
import type { Candidate, ParsedRefusal } from './parse.ts'

const HOURS_PER_DAY = 24

/** What tells a duplicate from a conflict. */
export type Content = Pick<FoundEvent, 'type' | 'at' | 'data'>

export interface Distinct {
  /** The first delivered candidate of each key, in key order. */
  readonly firsts: readonly Candidate[]
  /** From each later candidate to the first one with its key. */
  readonly repeats: ReadonlyMap<Candidate, Candidate>
}

/** Tell equal keys within a group apart: of equal keys, the one that was delivered first counts. */
export function distinctKeys(candidates: readonly Candidate[]): Distinct {
  // Stable: of equal keys, the one that came first stands first.
  const sorted = candidates.toSorted(compareKeys)
  const firsts: Candidate[] = []
  const repeats = new Map<Candidate, Candidate>()
  for (const event of sorted) {
    const first = firsts.at(-1)
    if (first && compareKeys(first, event) === 0) repeats.set(event, first)
    else firsts.push(event)
  }
  return { firsts, repeats }
}

/** The order of the primary key: two transactions that insert in different orders would deadlock. */
export function compareKeys(a: EventKey, b: EventKey): number {
  return (
    a.hour - b.hour ||
    a.bucket - b.bucket ||
    compareBytes(a.account, b.account) ||
    compareBytes(a.id, b.id) ||
    compareBytes(a.source, b.source)
  )
}

/** What the database holds under the keys of these events: one probe of the primary key each, by UTC day. */
export async function findKnown<Key extends EventKey>(
  sql: Sql,
  events: readonly Key[],
): Promise<ReadonlyMap<Key, Content>> {
  const known = new Map<Key, Content>()
  if (events.length === 0) return known
  for (const [day, keys] of groupBy(events, ({ hour }) => Math.floor(hour / HOURS_PER_DAY))) {
    const range = { from: (day * HOURS_PER_DAY) as Hour, to: ((day + 1) * HOURS_PER_DAY) as Hour }
    for (const found of await run(sql, findEvents, { ...range, keys })) known.set(keys[found.index]!, found)
  }
  return known
}

/**
 * Which refusals are of events that are stored already, with the same content: they were valid when they came first,
 * before the price book or the account was changed, and a retry of them is harmless.
 */
export async function findRefusedRepeats(
  sql: Sql,
  refused: readonly ParsedRefusal[],
): Promise<ReadonlySet<ParsedRefusal>> {
  const refusals = new Map(refused.flatMap((refusal) => (refusal.event ? [[refusal.event, refusal]] : [])))
  const repeats = new Set<ParsedRefusal>()
  for (const [event, stored] of await findKnown(sql, [...refusals.keys()])) {
    if (sameContent(stored, event)) repeats.add(refusals.get(event)!)
  }
  return repeats
}

/** What is answered of an event whose identity is taken by this content: duplicate or conflict. */
export function resultOfRepeat(first: Content, again: Candidate): EventResult {
  if (sameContent(first, again)) return duplicate(again)
  return { outcome: 'conflict', id: again.id, code: CONFLICT_CODE, detail: CONFLICT_DETAIL }
}

/** What is answered of an event that is stored already. */
export function duplicate({ id }: { readonly id: string | null }): EventResult {
  return { outcome: 'duplicate', id, code: null, detail: null }
}

/** What is answered of an event whose identity is new. */
export function resultOfNew(event: Candidate): EventResult {
  const { id, assessment } = event
  if (assessment.outcome === 'held') {
    return { outcome: 'held', id, code: assessment.code, detail: assessment.detail }
  }
  const { code, detail } = remarkOn(event, assessment) ?? { code: null, detail: null }
  return { outcome: 'accepted', id, code, detail }
}

export function resultOfRefused({ id, code, detail }: ParsedRefusal): EventResult {
  return { outcome: 'rejected', id, code, detail }
}
