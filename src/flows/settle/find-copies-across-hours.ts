import { commonFingerprints, fingerprintOf } from '../../core/ingest/fingerprint.ts'
import { groupBy } from '../../core/group-by.ts'
import type { Identity } from '../../core/ingest/event.ts'
import { formatHour, type Hour } from '../../core/time/hour.ts'
import type { ConflictEvent } from '../../store/queries/add-conflict-events.ts'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { addIdentitySegment } from '../../store/queries/add-identity-segment.ts'
import { readVoidedIdentities } from '../../store/queries/read-voided-identities.ts'
import type { EventKey } from '../../store/queries/find-events.ts'
import { findStandingEvents } from '../../store/queries/find-standing-events.ts'
import { type IdentitySegment, readIdentitySegments } from '../../store/queries/read-identity-segments.ts'
import type { SettledAccount } from '../../store/queries/read-late-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { type AccountFacts, type CopyMarks, copyName, eventsOfAccount } from './cycle-facts.ts'

/**
 * Identity does not depend on time (ARCHITECTURE.md), but the key of an event does. So a copy under another time, up to
 * the identity window apart, is found here, before it is billed: one that was taken back stands, else the one that was
 * settled first, and of two in one cycle the one of the earlier hour.
 */
export interface IdentityWindow {
  readonly buckets: readonly number[]
  readonly windowHours: number
  readonly segments: readonly IdentitySegment[]
  /** Events that were taken back, by `identityName`. */
  readonly voided: ReadonlyMap<string, readonly EventKey[]>
}

/** U+0000 cannot occur in any part. */
function identityName({ account, source, id }: Identity): string {
  return `${account}\0${source}\0${id}`
}

/** Read what was settled around some usage hours in these buckets. */
export async function readWindow(
  sql: Sql,
  buckets: readonly number[],
  usageHours: readonly Hour[],
  windowHours: number,
): Promise<IdentityWindow> {
  const from = (Math.min(...usageHours) - windowHours) as Hour
  const to = (Math.max(...usageHours) + windowHours + 1) as Hour
  const segments = await run(sql, readIdentitySegments, { buckets, from, to })
  const taken = await run(sql, readVoidedIdentities, { buckets, from, to })
  return { buckets, windowHours, segments, voided: groupBy(taken, identityName) }
}

type Facts = Pick<AccountFacts, 'account' | 'bucket' | 'fingerprints'>

/** The events of some accounts of a cycle that are copies of what was settled before, or of an earlier hour in it. */
export async function findCopies(
  sql: Sql,
  window: IdentityWindow,
  cycle: Hour,
  accounts: readonly Facts[],
): Promise<readonly ConflictEvent[]> {
  const suspects = suspectsOf(window, accounts)
  if (suspects.size === 0) return []
  const found: ConflictEvent[] = []
  for (const account of accounts) {
    const suspected = [...account.fingerprints.values()].some((list) => list.some((one) => suspects.has(one)))
    if (suspected) found.push(...(await copiesOfAccount(sql, window, cycle, account, suspects)))
  }
  return found
}

/** Fingerprints that occur in another hour too, with those hours. */
type Suspects = ReadonlyMap<number, readonly Hour[]>

function suspectsOf({ segments, voided }: IdentityWindow, accounts: readonly Facts[]): Suspects {
  const hours = new Map<number, Hour[]>()
  const note = (fingerprint: number, hour: Hour) => {
    const known = hours.get(fingerprint)
    if (known) known.push(hour)
    else hours.set(fingerprint, [hour])
  }
  const own = sortedByHour(accounts)
  const all = Uint32Array.from([...own.values()].flatMap((list) => [...list])).sort()
  for (const { hour, fingerprints } of segments) {
    for (const fingerprint of commonFingerprints(all, fingerprints)) note(fingerprint, hour)
  }
  for (const key of [...voided.values()].flat()) note(fingerprintOf(key), key.hour)
  if (own.size > 1) noteWithin(own, note)
  return hours
}

/** In one cycle, the same fingerprint in two usage hours: both hours are noted. */
function noteWithin(
  own: ReadonlyMap<Hour, Uint32Array>,
  note: (fingerprint: number, hour: Hour) => void,
): void {
  const entries = [...own]
  for (const [index, [hour, list]] of entries.entries()) {
    for (const [other, others] of entries.slice(index + 1)) {
      for (const fingerprint of commonFingerprints(list, others)) {
        note(fingerprint, hour)
        note(fingerprint, other)
      }
    }
  }
}

/** The fingerprints of some accounts, ascending, by usage hour. */
function sortedByHour(accounts: readonly Facts[]): ReadonlyMap<Hour, Uint32Array> {
  const lists = groupBy(
    accounts.flatMap(({ fingerprints }) => [...fingerprints]),
    ([hour]) => hour,
  )
  return new Map(
    [...lists].map(([hour, pairs]) => [hour, Uint32Array.from(pairs.flatMap(([, list]) => list)).sort()]),
  )
}

/** Look up exactly what a fingerprint can only suspect. */
async function copiesOfAccount(
  sql: Sql,
  { windowHours, voided }: IdentityWindow,
  cycle: Hour,
  account: SettledAccount,
  suspects: Suspects,
): Promise<readonly ConflictEvent[]> {
  const copies: ConflictEvent[] = []
  // Events of this cycle that stand, by identity: an earlier hour comes first.
  const standing = new Map<string, Hour[]>()
  for await (const { hour, bucket, account: name, source, id } of eventsOfAccount(sql, cycle, account)) {
    const key: EventKey = { hour, bucket, account: name, source, id }
    const hours = suspects.get(fingerprintOf(key))
    if (!hours) continue
    const identity = identityName(key)
    const isNear = (other: Hour) => other !== hour && Math.abs(other - hour) <= windowHours
    const inCycle = standing.get(identity) ?? []
    const settled = hours.filter((other) => isNear(other) && !inCycle.includes(other))
    const taken = voided.get(identity)?.map((other) => other.hour) ?? []
    const near = [...taken, ...inCycle].find(isNear)
    const standsHour = near ?? (await firstStanding(sql, key, settled))
    if (standsHour === undefined) standing.set(identity, [...inCycle, hour])
    else copies.push({ ...key, cycle, standsHour })
  }
  return copies
}

/** The first of some hours in which the same identity was settled, and stands. */
async function firstStanding(sql: Sql, key: EventKey, hours: readonly Hour[]): Promise<Hour | undefined> {
  const keys = [...new Set(hours)].sort((a, b) => a - b).map((hour) => ({ ...key, hour }))
  if (keys.length === 0) return undefined
  const found = await run(sql, findStandingEvents, keys)
  return found.length === 0 ? undefined : keys[Math.min(...found)]!.hour
}

/** A copy as it is shown among the refused events. */
export function refusedCopy({ account, source, id, hour, standsHour }: ConflictEvent): RefusedEvent {
  const detail =
    `The event of hour ${formatHour(hour)} has the identity of one of hour ${formatHour(standsHour)}, which counts: ` +
    'keep the time when you send an event again, and send new usage under a new id.'
  return { outcome: 'conflict', account, source, id, code: 'event/restamped', detail, body: '' }
}

/** Marks as the facts of a cycle are read with them. */
export function marksOf(copies: readonly ConflictEvent[]): CopyMarks {
  const accounts = groupBy(copies, ({ account }) => account)
  return new Map([...accounts].map(([account, marked]) => [account, new Set(marked.map(copyName))]))
}

/** Remember what these accounts settled, so that later copies of it are found. */
export async function rememberIdentities(
  sql: Sql,
  buckets: readonly number[],
  accounts: readonly Facts[],
): Promise<void> {
  for (const [hour, fingerprints] of sortedByHour(accounts)) {
    await run(sql, addIdentitySegment, { hour, buckets, fingerprints })
  }
}
