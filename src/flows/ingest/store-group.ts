import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import type { Instant } from '../../core/time/instant.ts'
import { throughGate } from '../../store/gate.ts'
import { insertEventDay } from '../../store/usage-events.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import { run } from '../../store/query.ts'
import { sqlState } from '../../store/transaction.ts'
import { type Candidate, commitEvents, duplicate, HourClosed } from './commit-events.ts'
import type { EventResult } from './ingest-types.ts'
import { isRefused, type ReadEvent, type ReadRefusal, refusedConflict } from './read-delivery.ts'
import { findRefusedRepeats } from './refused-repeats.ts'
import { noteTypes } from './note-types.ts'
import type { Wariness } from './seen-keys.ts'
import { storeLive } from './store-live.ts'

/** UTC days that one transaction may touch: it opens a partition for each. */
export const DAYS_PER_TRANSACTION_MAX = 62
/** Lanes that hold each other's repeats lose to each other again and again, unless they step aside for a moment. */
const ATTEMPTS_MAX = 30
const STEP_ASIDE_MS = 10
const HOURS_PER_DAY = 24

/** Another transaction took a key first, a deadlock, a serialization failure: the same again will do. */
const TRY_AGAIN = /^(?:23505|40P01|40001)$/
/** A value that cannot be stored, or more than the server's memory: one event is the culprit. */
const DATA_ERROR = /^(?:22|53200|54)/

/** Something that the events were read under has changed since: read again what is not stored. */
export class NewerRules extends Error {
  /** What is stored of the group already, if that takes several transactions. */
  readonly stored = new Map<Read, EventResult>()
}

/** The price book was published anew since the events were read. */
export class NewerPrices extends NewerRules {
  override readonly name = 'NewerPrices'
}

/** An account was closed or opened since the events were read. */
export class NewerAccounts extends NewerRules {
  override readonly name = 'NewerAccounts'
}

export interface StoreGroupContext {
  readonly pool: pg.Pool
  /** How often accounts had been closed or opened when the events were read. */
  readonly accountsVersion: number
  /** The version under which the events were read. */
  readonly priceVersion: number
  /** Events that may be stored already. Others are expected to be new. */
  readonly suspects: ReadonlySet<Candidate>
  readonly wariness: Wariness
  /** Days whose partitions are known to exist. Grows. */
  readonly days: Set<number>
  /** Event types that are noted as accepted. Grows. */
  readonly types: Set<string>
  /** Told the database's clock by each transaction. */
  readonly onClock: (now: Instant) => void
}

type Read = ReadEvent | ReadRefusal

/** What is stored apart from the rest of a group, since it may be being stored by others. */
export interface Awaited {
  readonly awaited: ReadonlySet<unknown>
  /** Resolves when they have ended. */
  readonly others: () => Promise<void>
}

const NOTHING_AWAITED: Awaited = { awaited: new Set(), others: () => Promise.resolve() }

/**
 * Store a group of read events durably: in one transaction if it touches at most 62 days, and none of it is awaited. A
 * group that fails by the data of one event is halved until that event stands alone, and is refused alone.
 * @returns one result for each event, in order
 * @throws NewerPrices, NewerAccounts, and whatever the database fails with otherwise: then some may be stored, and a repetition
 *   is harmless
 */
export async function storeGroup(
  context: StoreGroupContext,
  reads: readonly Read[],
  { awaited, others }: Awaited = NOTHING_AWAITED,
): Promise<readonly EventResult[]> {
  const storeAll = (part: readonly Read[]) =>
    storeParts(part, sliceByDays(part), (slice) => storeSlice(context, slice))
  if (awaited.size === 0) return storeAll(reads)
  const later = reads.filter((read) => awaited.has(read))
  const now = reads.filter((read) => !awaited.has(read))
  return storeParts(reads, [now, later], async (part) => {
    if (part === later) await others()
    return storeAll(part)
  })
}

/** One part after the other. @param reads those of all parts, in the order of the results */
async function storeParts(
  reads: readonly Read[],
  parts: readonly (readonly Read[])[],
  storePart: (part: readonly Read[]) => Promise<readonly EventResult[]>,
): Promise<readonly EventResult[]> {
  if (parts.length === 1) return storePart(reads)
  const results = new Map<Read, EventResult>()
  for (const part of parts) {
    const stored = await afterOthers(results, storePart(part))
    for (const [index, read] of part.entries()) results.set(read, stored[index]!)
  }
  return reads.map((read) => results.get(read)!)
}

/** Work on the rest of a group. If it has to be read again, that says what is stored already. */
async function afterOthers<Result>(
  stored: ReadonlyMap<Read, EventResult>,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (error instanceof NewerRules) for (const [read, result] of stored) error.stored.set(read, result)
    throw error
  }
}

/** As few slices as fit. What is stored with an event is in its slice. */
function sliceByDays(reads: readonly Read[]): readonly (readonly Read[])[] {
  if (reads.length === 0) return []
  if (daysOfAll(reads).size <= DAYS_PER_TRANSACTION_MAX) return [reads]
  const slices: Read[][] = []
  let days = new Set<number>()
  for (const group of groupBy(reads, (read) => daysOf(read).join(' ')).values()) {
    const own = daysOf(group[0]!)
    const all = new Set([...days, ...own])
    const isFull = all.size > DAYS_PER_TRANSACTION_MAX || slices.length === 0
    if (isFull) slices.push([])
    days = isFull ? new Set(own) : all
    slices.at(-1)!.push(...group)
  }
  return slices
}

function daysOfAll(reads: readonly Read[]): ReadonlySet<number> {
  const days = new Set<number>()
  for (const read of reads) for (const day of daysOf(read)) days.add(day)
  return days
}

/** The days that are looked at for an event, or written to. */
function daysOf(read: Read): readonly number[] {
  const { hour } = isRefused(read) ? (read.event ?? {}) : read
  if (hour === undefined) return []
  const day = Math.floor(hour / HOURS_PER_DAY)
  const ending = isRefused(read) ? undefined : read.ending
  return ending ? [day, Math.floor(ending.hour / HOURS_PER_DAY)] : [day]
}

async function storeSlice(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  await ensureDays(context, reads)
  await noteTypes(context, reads)
  for (let attempt = 1; ; attempt++) {
    const looks = attempt > 1 || context.wariness.isWary
    try {
      const live = looks ? undefined : await storeLive(context, reads)
      return live ?? (await storeOnce(context, reads, looks))
    } catch (error) {
      if (canTryAgain(error) && attempt < ATTEMPTS_MAX) {
        // After a repeat that nothing had hinted at, the next attempt looks.
        if (attempt > 1) await sleep(Math.random() * STEP_ASIDE_MS * attempt)
        continue
      }
      const state = sqlState(error) ?? ''
      if (!DATA_ERROR.test(state)) throw error
      return reads.length === 1 ? storeUnstorable(context, reads[0]!) : storeHalves(context, reads)
    }
  }
}

function canTryAgain(error: unknown): boolean {
  return error instanceof HourClosed || TRY_AGAIN.test(sqlState(error) ?? '')
}

async function storeHalves(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  const middle = reads.length >> 1
  const first = await storeSlice(context, reads.slice(0, middle))
  const stored = new Map(first.map((result, index) => [reads[index]!, result]))
  return [...first, ...(await afterOthers(stored, storeSlice(context, reads.slice(middle))))]
}

/**
 * One transaction: gate, marks, rows, commit.
 * @param isWary are all keys looked up, or only those of suspects?
 */
async function storeOnce(
  context: StoreGroupContext,
  reads: readonly Read[],
  isWary: boolean,
): Promise<readonly EventResult[]> {
  const { suspects, wariness } = context
  const candidates = reads.filter((read): read is ReadEvent => !isRefused(read))
  const endings = candidates.flatMap(({ ending }) => ending ?? [])
  const refused = reads.filter(isRefused)
  return throughGate(context.pool, 'shared', async (client, marks) => {
    if (marks.priceVersion !== context.priceVersion) throw new NewerPrices()
    if (marks.accountsVersion !== context.accountsVersion) throw new NewerAccounts()
    context.onClock(marks.now)
    const all: readonly Candidate[] = [...candidates, ...endings]
    const repeated = await findRefusedRepeats(client, refused)
    const kept = refused.filter((refusal) => !repeated.has(refusal))
    const group = { candidates: all, refused: kept, suspects: isWary ? ('all' as const) : suspects }
    const { results, repeats } = await commitEvents(client, marks, group, refusedConflict)
    wariness.learn(repeats.some((event) => !suspects.has(event)))
    const remaining = results.values()
    return reads.map((read) => {
      if (!isRefused(read)) return remaining.next().value!
      return repeated.has(read) ? duplicate(read) : resultOfRefused(read)
    })
  })
}

/** What passed every check of ours and still cannot be stored: the server's reason is the detail. */
async function storeUnstorable(context: StoreGroupContext, read: Read): Promise<readonly EventResult[]> {
  const { account, source, id } = read
  const detail = 'The database cannot store this event: send it in another form, and report this.'
  const refused: RefusedEvent = {
    outcome: 'rejected',
    account,
    source,
    id,
    code: 'event/unstorable',
    detail,
    body: '',
  }
  return storeOnce(context, [refused], false)
}

function resultOfRefused({ id, code, detail }: RefusedEvent): EventResult {
  return { outcome: 'rejected', id, code, detail }
}

async function ensureDays({ pool, days }: StoreGroupContext, reads: readonly Read[]): Promise<void> {
  for (const read of reads) {
    if (isRefused(read)) continue
    for (const day of daysOf(read)) {
      if (days.has(day)) continue
      await run(pool, insertEventDay, { day })
      days.add(day)
    }
  }
}
