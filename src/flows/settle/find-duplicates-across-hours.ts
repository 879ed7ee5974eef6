import { commonFingerprints, fingerprintOf } from '../../core/ingest/fingerprint.ts'
import { groupBy } from '../../core/group-by.ts'
import type { Identity } from '../../core/ingest/event.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import { type ConflictEvent, findStandingEvents } from '../../store/conflicts.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import { insertIdentitySegment } from '../../store/identity-segments.ts'
import { listVoidedIdentities } from '../../store/voids.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { byMonth } from '../shared/by-month.ts'
import { settlingTurns } from '../shared/thread-turns.ts'
import type { IdentityWindow } from './identity-window.ts'
import { type AccountFacts, type DuplicateMarks, copyName, eventsOfAccount } from './cycle-facts.ts'

type Facts = Pick<AccountFacts, 'account' | 'bucket' | 'fingerprints'>

export interface FindDuplicates {
  readonly window: IdentityWindow
  /** Claimed. */
  readonly buckets: readonly number[]
  readonly cycle: Hour
  readonly accounts: readonly Facts[]
}

/**
 * The events of some accounts of a cycle that are duplicates. Identity does not depend on time (ARCHITECTURE.md), but the key
 * of an event does: so a duplicate under another time, up to the identity window apart, is found here, before it is billed.
 * One that was voided stands, else the one that was settled first, and of two in one cycle the one of the earlier
 * hour.
 */
export async function findDuplicates(
  sql: Sql,
  { window, buckets, cycle, accounts }: FindDuplicates,
): Promise<readonly ConflictEvent[]> {
  const own = sortedByHour(accounts)
  if (own.size === 0) return []
  const suspects = await suspectsOf(sql, window, buckets, own)
  const voided = await voidedNear(sql, window, buckets, [...own.keys()])
  for (const key of [...voided.values()].flat())
    suspects.note(fingerprintOf(key), { from: key.hour, hours: 1 })
  if (suspects.ranges.size === 0) return []
  const suspected = await readSuspected(sql, cycle, accounts, suspects)
  const settled = await settledElsewhere(sql, suspected, window.hours)
  return decide(suspected, { cycle, settled, voided, windowHours: window.hours })
}

/** Usage hours in which a fingerprint was seen. */
interface Range {
  readonly from: Hour
  readonly hours: number
}

interface Suspects {
  /** By fingerprint: where else it occurs. */
  readonly ranges: ReadonlyMap<number, readonly Range[]>
  note(fingerprint: number, range: Range): void
}

async function suspectsOf(
  sql: Sql,
  window: IdentityWindow,
  buckets: readonly number[],
  own: ReadonlyMap<Hour, Uint32Array>,
): Promise<Suspects> {
  const ranges = new Map<number, Range[]>()
  const note = (fingerprint: number, range: Range) => {
    const known = ranges.get(fingerprint)
    if (known) known.push(range)
    else ranges.set(fingerprint, [range])
  }
  const all = joined([...own.values()])
  for await (const { hour, hours, fingerprints } of window.around(sql, buckets, [...own.keys()])) {
    const turn = settlingTurns.isOver()
    if (turn) await turn
    for (const fingerprint of commonFingerprints(all, fingerprints)) note(fingerprint, { from: hour, hours })
  }
  if (own.size > 1) noteWithin(own, note)
  return { ranges, note }
}

/** In one cycle, the same fingerprint in two usage hours: both hours are noted. */
function noteWithin(own: ReadonlyMap<Hour, Uint32Array>, note: Suspects['note']): void {
  const entries = [...own]
  for (const [index, [hour, list]] of entries.entries()) {
    for (const [other, others] of entries.slice(index + 1)) {
      for (const fingerprint of commonFingerprints(list, others)) {
        note(fingerprint, { from: hour, hours: 1 })
        note(fingerprint, { from: other, hours: 1 })
      }
    }
  }
}

/** The fingerprints of some accounts, ascending, by usage hour. */
function sortedByHour(accounts: readonly Facts[]): ReadonlyMap<Hour, Uint32Array> {
  const lists = new Map<Hour, (readonly number[])[]>()
  for (const { fingerprints } of accounts) {
    for (const [hour, list] of fingerprints) {
      const known = lists.get(hour)
      if (known) known.push(list)
      else lists.set(hour, [list])
    }
  }
  return new Map([...lists].map(([hour, parts]) => [hour, joined(parts)]))
}

/** All values, ascending. */
export function joined(lists: readonly ArrayLike<number>[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((length, list) => length + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all.sort()
}

/** Events that were voided, by `identityName`: they stand, settled or not. */
async function voidedNear(
  sql: Sql,
  window: IdentityWindow,
  buckets: readonly number[],
  hours: readonly Hour[],
): Promise<ReadonlyMap<string, readonly EventKey[]>> {
  const from = (Math.min(...hours) - window.hours) as Hour
  const to = (Math.max(...hours) + window.hours + 1) as Hour
  return groupBy(await run(sql, listVoidedIdentities, { buckets, from, to }), identityName)
}

/** U+0000 cannot occur in any part. */
function identityName({ account, source, id }: Identity): string {
  return `${account}\0${source}\0${id}`
}

interface Suspected {
  readonly key: EventKey
  readonly ranges: readonly Range[]
}

/** The events whose fingerprints are suspected, in the order in which a cycle's events are read. */
async function readSuspected(
  sql: Sql,
  cycle: Hour,
  accounts: readonly Facts[],
  { ranges }: Suspects,
): Promise<readonly Suspected[]> {
  const found: Suspected[] = []
  for (const account of accounts) {
    const has = [...account.fingerprints.values()].some((list) => list.some((one) => ranges.has(one)))
    if (!has) continue
    for await (const { hour, bucket, account: name, source, id } of eventsOfAccount(sql, cycle, account)) {
      const key: EventKey = { hour, bucket, account: name, source, id }
      const seen = ranges.get(fingerprintOf(key))
      if (seen) found.push({ key, ranges: seen })
    }
  }
  return found
}

/** Look up exactly what fingerprints can only suspect. @returns for each event, the other hours in which it stands */
async function settledElsewhere(
  sql: Sql,
  suspected: readonly Suspected[],
  windowHours: number,
): Promise<ReadonlyMap<EventKey, readonly Hour[]>> {
  const asked = suspected.flatMap(({ key, ranges }) =>
    [...hoursOf(ranges)]
      .filter((hour) => isNear(key.hour, hour, windowHours))
      .map((hour) => ({ key, other: { ...key, hour } })),
  )
  const standing = new Map<EventKey, Hour[]>()
  for (const { items } of byMonth(asked, ({ other }) => other.hour)) {
    for (let start = 0; start < items.length; start += KEYS_AT_ONCE) {
      const page = items.slice(start, start + KEYS_AT_ONCE)
      const keys = page.map(({ other }) => other)
      for (const index of await releasingLocks(sql, () => run(sql, findStandingEvents, keys))) {
        const { key, other } = page[index]!
        standing.set(key, [...(standing.get(key) ?? []), other.hour])
      }
    }
  }
  return standing
}

const KEYS_AT_ONCE = 10_000

function hoursOf(ranges: readonly Range[]): ReadonlySet<Hour> {
  const hours = new Set<Hour>()
  for (const { from, hours: length } of ranges) {
    for (let hour = from; hour < from + length; hour++) hours.add(hour)
  }
  return hours
}

function isNear(hour: Hour, other: Hour, windowHours: number): boolean {
  return other !== hour && Math.abs(other - hour) <= windowHours
}

interface Decide {
  readonly cycle: Hour
  readonly settled: ReadonlyMap<EventKey, readonly Hour[]>
  readonly voided: ReadonlyMap<string, readonly EventKey[]>
  readonly windowHours: number
}

/** @param suspected late events first, so of two in the cycle the one of the earlier hour comes first */
function decide(
  suspected: readonly Suspected[],
  { cycle, settled, voided, windowHours }: Decide,
): ConflictEvent[] {
  const standing = new Map<string, Hour[]>()
  const duplicates: ConflictEvent[] = []
  for (const { key } of suspected) {
    const identity = identityName(key)
    const inCycle = standing.get(identity) ?? []
    const taken = voided.get(identity)?.map(({ hour }) => hour) ?? []
    const near = [...taken, ...inCycle].find((other) => isNear(key.hour, other, windowHours))
    const standsHour = near ?? settled.get(key)?.reduce((a, b) => (b < a ? b : a))
    if (standsHour === undefined) standing.set(identity, [...inCycle, key.hour])
    else duplicates.push({ ...key, cycle, standsHour })
  }
  return duplicates
}

/** A copy as it is shown among the refused events. */
export function refusedDuplicate({ account, source, id, hour, standsHour }: ConflictEvent): RefusedEvent {
  const detail =
    `The event of hour ${formatHour(hour)} has the identity of one of hour ${formatHour(standsHour)}, which counts: ` +
    'keep the time when you send an event again, and send new usage under a new id.'
  return { outcome: 'conflict', account, source, id, code: 'event/restamped', detail, body: '' }
}

/** Watermarks as the facts of a cycle are read with them. */
export function duplicateMarksOf(duplicates: readonly ConflictEvent[]): DuplicateMarks {
  const accounts = groupBy(duplicates, ({ account }) => account)
  return new Map([...accounts].map(([account, marked]) => [account, new Set(marked.map(copyName))]))
}

/** Remember what these accounts settled, so that later duplicates of it are found. */
export async function rememberIdentities(
  sql: Sql,
  buckets: readonly number[],
  accounts: readonly Facts[],
): Promise<void> {
  for (const [hour, fingerprints] of sortedByHour(accounts)) {
    await run(sql, insertIdentitySegment, { hour, hours: 1, buckets, fingerprints })
  }
}
