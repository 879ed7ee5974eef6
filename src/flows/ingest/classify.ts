import { CONFLICT_CODE, CONFLICT_DETAIL } from '../../core/ingest/conflict.ts'
import { sameContent } from '../../core/ingest/event.ts'
import { remarkOn } from '../../core/rate/rating/remark.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { findEvents, type FoundEvent } from '../../store/usage-events.ts'
import { byMonth } from '../shared/by-month.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { EventResult } from './ingest-types.ts'
import type { Candidate, ParsedRefusal, RefusedCandidate } from './parse.ts'

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

/** What the database holds under the keys of these events: one probe of the primary key each. */
export async function findKnown<Key extends EventKey>(
  sql: Sql,
  events: readonly Key[],
): Promise<ReadonlyMap<Key, Content>> {
  const known = new Map<Key, Content>()
  const months = byMonth(events, ({ hour }) => hour)
  for (const { items, ...range } of months) {
    const find = () => run(sql, findEvents, { ...range, keys: items })
    const found = months.length === 1 ? await find() : await releasingLocks(sql, find)
    for (const event of found) known.set(items[event.index]!, event)
  }
  return known
}

/**
 * What is answered of refused events that are stored already. With the same content: they were valid when they came first,
 * before the price book or the account was changed, and a retry of them is harmless. With another one they are refused as
 * before, unless that was only because they would be new.
 */
export async function findRefusedRepeats(
  sql: Sql,
  refused: readonly ParsedRefusal[],
): Promise<ReadonlyMap<ParsedRefusal, EventResult>> {
  const refusals = new Map(refused.flatMap((refusal) => (refusal.event ? [[refusal.event, refusal]] : [])))
  const repeats = new Map<ParsedRefusal, EventResult>()
  for (const [event, stored] of await findKnown(sql, [...refusals.keys()])) {
    const refusal = refusals.get(event)!
    const result = resultOfRepeat(stored, event)
    if (result.outcome === 'duplicate') repeats.set(refusal, duplicate(refusal))
    else if (refusal.isOnlyIfNew) repeats.set(refusal, result)
  }
  return repeats
}

/** What is answered of an event whose identity is taken by this content: duplicate or conflict. */
export function resultOfRepeat(first: Content, again: Candidate | RefusedCandidate): EventResult {
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
