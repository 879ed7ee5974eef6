import { type AccountHour, addEvent, emptyAccountHour } from '../../core/bill/account-hour.ts'
import { eventText } from '../../core/bill/digest-text.ts'
import { groupBy } from '../../core/group-by.ts'
import { fingerprintOf } from '../../core/ingest/fingerprint.ts'
import { reread } from '../../core/ingest/reread.ts'
import type { PriceBook } from '../../core/rate/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { SettledEvent } from '../../store/event-row.ts'
import { readHourEvents } from '../../store/queries/read-hour-events.ts'
import { readLateEvents } from '../../store/queries/read-late-events.ts'
import { type LateHour, readLateHours, type SettledAccount } from '../../store/queries/read-late-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { addText, endDigest, type RunningDigest, startDigest } from './running-digest.ts'

/** Events read at once: some 2 MB, and few round trips. */
const PAGE_EVENTS = 5_000

/** The facts of one account in one cycle, summed. */
export interface AccountFacts extends SettledAccount, AccountHour {
  /** Events of the cycle, late and held ones included. */
  readonly events: number
  /** SHA-256 over them in key order, copies included, hexadecimal. */
  readonly eventsDigest: string
  /** Of the events that are no copies, by their usage hour. */
  readonly fingerprints: ReadonlyMap<Hour, readonly number[]>
}

/** Marked events by account, each by `copyName`. */
export type CopyMarks = ReadonlyMap<string, ReadonlySet<string>>

export const NO_COPIES: CopyMarks = new Map()

/** An event within its account. U+0000 cannot occur in any part. */
export function copyName({ hour, id, source }: Pick<SettledEvent, 'hour' | 'id' | 'source'>): string {
  return `${hour}\0${id}\0${source}`
}

export interface ReadCycleFacts {
  readonly hour: Hour
  readonly buckets: readonly number[]
  /** Only these accounts, in key order, each whether it has events or not; null: all that have. */
  readonly accounts: readonly SettledAccount[] | null
  /** Events that are marked as copies: they are part of the digest, and count nothing. */
  readonly copies: CopyMarks
  /** Told of a stored event that cannot be read, which then counts nothing; undefined: that is a bug, and thrown. */
  readonly onDamaged?: ((event: SettledEvent) => void) | undefined
}

/**
 * The facts of a cycle, an account at a time, in key order: the events of the hour itself, and those of older hours
 * that were put into it. Settlement and its proof both read them here. Memory does not grow with an account's events.
 */
export async function* readCycleFacts(
  sql: Sql,
  book: PriceBook,
  { hour, buckets, accounts, copies, onDamaged }: ReadCycleFacts,
): AsyncGenerator<AccountFacts> {
  const late = groupBy(await run(sql, readLateHours, { cycle: hour, buckets }), ({ account }) => account)
  const unread = new Map((accounts ?? latecomers(late)).map((key) => [key.account, key]))
  const names = accounts && [...unread.keys()]
  const reading = { book, copies, onDamaged }
  let sums: Sums | undefined
  for await (const event of eventsOf(sql, hour, buckets, names)) {
    if (sums?.key.account !== event.account) {
      if (sums) yield factsOf(sums)
      sums = await begin(sql, reading, hour, event, late)
      unread.delete(event.account)
    }
    add(sums, reading, event)
  }
  if (sums) yield factsOf(sums)
  for (const key of unread.values()) yield factsOf(await begin(sql, reading, hour, key, late))
}

/** Accounts that have events of older hours in the cycle. */
function latecomers(late: ReadonlyMap<string, readonly LateHour[]>): readonly SettledAccount[] {
  return [...late.values()].map(([first]) => first!)
}

async function* eventsOf(
  sql: Sql,
  hour: Hour,
  buckets: readonly number[],
  accounts: readonly string[] | null,
): AsyncGenerator<SettledEvent> {
  let after: SettledEvent | undefined
  for (;;) {
    const page = await run(sql, readHourEvents, { hour, buckets, accounts, after, limit: PAGE_EVENTS })
    yield* page
    if (page.length < PAGE_EVENTS) return
    after = page.at(-1)
  }
}

/** All events of one account in a cycle, late ones first: for what has to look at them one by one. */
export async function* eventsOfAccount(
  sql: Sql,
  cycle: Hour,
  { bucket, account }: SettledAccount,
): AsyncGenerator<SettledEvent> {
  const late = await run(sql, readLateHours, { cycle, buckets: [bucket] })
  for (const lateHour of late.filter((row) => row.account === account)) {
    yield* await run(sql, readLateEvents, { ...lateHour, cycle })
  }
  yield* eventsOf(sql, cycle, [bucket], [account])
}

interface Sums {
  readonly key: SettledAccount
  readonly hour: AccountHour
  readonly digest: RunningDigest
  readonly fingerprints: Map<Hour, number[]>
  readonly copies: ReadonlySet<string> | undefined
  events: number
}

/** Late events come first: their hours are older than the cycle, and the digest is in key order. */
async function begin(
  sql: Sql,
  reading: Reading,
  cycle: Hour,
  { bucket, account }: SettledAccount,
  late: ReadonlyMap<string, readonly LateHour[]>,
): Promise<Sums> {
  const sums: Sums = {
    key: { bucket, account },
    hour: emptyAccountHour(),
    digest: startDigest(),
    fingerprints: new Map(),
    copies: reading.copies.get(account),
    events: 0,
  }
  for (const lateHour of late.get(account) ?? []) {
    for (const event of await run(sql, readLateEvents, { ...lateHour, cycle })) add(sums, reading, event)
  }
  return sums
}

interface Reading extends Pick<ReadCycleFacts, 'copies' | 'onDamaged'> {
  readonly book: PriceBook
}

function add(sums: Sums, { book, onDamaged }: Reading, event: SettledEvent): void {
  sums.events += 1
  addText(sums.digest, eventText(event))
  if (sums.copies?.has(copyName(event))) return
  const fingerprints = sums.fingerprints.get(event.hour)
  if (fingerprints) fingerprints.push(fingerprintOf(event))
  else sums.fingerprints.set(event.hour, [fingerprintOf(event)])
  try {
    addEvent(sums.hour, book, { ...event, usage: reread(book.eventTypes, event.type, event.data) })
  } catch (error) {
    if (!onDamaged) throw error
    onDamaged(event)
  }
}

function factsOf({ key, hour, digest, events, fingerprints }: Sums): AccountFacts {
  return { ...key, ...hour, events, fingerprints, eventsDigest: endDigest(digest) }
}
