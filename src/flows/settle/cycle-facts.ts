import {
  type AccountHour,
  addEvent,
  type CountedEvent,
  emptyAccountHour,
  takeBack,
} from '../../core/bill/account-hour.ts'
import { eventText, releaseText, voidText } from '../../core/bill/digest-text.ts'
import { groupBy } from '../../core/group-by.ts'
import { fingerprintOf } from '../../core/ingest/fingerprint.ts'
import { reread } from '../../core/ingest/reread.ts'
import { invariant } from '../../core/invariant.ts'
import type { Level } from '../../core/meter/level.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { SettledEvent } from '../../store/event-row.ts'
import { listAdjustedAccounts } from '../../store/cycle-events.ts'
import { readHourEventsWhole } from '../../store/hour-events.ts'
import { type ListHourEvents, listHourEvents } from '../../store/usage-events.ts'
import { type LateHour, listLateHours } from '../../store/late-hours.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { listReleasedEvents } from '../../store/releases.ts'
import { listVoidedEvents } from '../../store/voids.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'
import { byMonth } from '../shared/by-month.ts'
import { settlingTurns } from '../shared/thread-turns.ts'
import { adjustmentsOf, type AdjustedEvent } from './adjustments.ts'
import { addText, endDigest, type RunningDigest, startDigest } from './running-digest.ts'

/** Events read at once: some 2 MB, and few round trips. */
const PAGE_EVENTS = 5_000
/** So few accounts are looked up; of more, whole buckets are read. */
const FEW_ACCOUNTS = 50

/** The facts of one account in one cycle, summed. */
export interface AccountFacts extends SettledAccount, Omit<AccountHour, 'levels'> {
  /** Levels that its events announce, in the order of the events. */
  readonly levels: readonly Level[]
  /** Facts of the cycle: events, late and held ones included, releases and voids. */
  readonly count: number
  /** Events of the cycle that the price book does not cover, and that are no duplicates: they were held when it was sealed. */
  readonly held: number
  /** SHA-256 over them in key order, duplicates included; hexadecimal. */
  readonly eventsDigest: string
  /** Of the events that are no duplicates, by their usage hour. */
  readonly fingerprints: ReadonlyMap<Hour, readonly number[]>
}

/** Marked events by account, each by `copyName`. */
export type DuplicateMarks = ReadonlyMap<string, ReadonlySet<string>>

export const NO_DUPLICATES: DuplicateMarks = new Map()

/** An event within its account. U+0000 cannot occur in any part. */
export function copyName({ hour, id, source }: Pick<SettledEvent, 'hour' | 'id' | 'source'>): string {
  return `${hour}\0${id}\0${source}`
}

export interface ReadCycleFacts {
  readonly hour: Hour
  readonly buckets: readonly number[]
  /** Only these accounts, in key order, each whether it has events or not; null: all that have. */
  readonly accounts: readonly SettledAccount[] | null
  /** Events that are marked as duplicates: they are part of the digest, and count nothing. */
  readonly duplicates: DuplicateMarks
  /** Told of a stored event that cannot be read, which then counts nothing; undefined: that is a bug, and thrown. */
  readonly onDamaged?: ((event: SettledEvent) => void) | undefined
}

/**
 * The facts of a cycle, by account: the events of older hours that were put into it, those of the hour itself, then
 * releases, then voids, each in key order. Settlement and its proof both read them here. Memory grows with the accounts;
 * of an event only its fingerprint is kept.
 */
export async function readCycleFacts(
  sql: Sql,
  book: PriceBook,
  { hour, buckets, accounts, duplicates, onDamaged }: ReadCycleFacts,
): Promise<readonly AccountFacts[]> {
  const late = groupBy(await run(sql, listLateHours, { cycle: hour, buckets }), ({ account }) => account)
  const acted = await run(sql, listAdjustedAccounts, { cycle: hour, buckets })
  const reading: Reading = { sql, book, hour, duplicates, onDamaged, late, acted: namesOf(acted) }
  const sums = new Map<string, Sums>()
  for (const key of accounts ?? [...latecomers(late), ...acted]) sums.set(key.account, begin(duplicates, key))
  // Late events come first: their hours are older than the cycle, and the digest is in key order.
  for (const sum of sums.values()) if (late.has(sum.key.account)) await addLate(reading, sum)
  const pages =
    accounts !== null && accounts.length <= FEW_ACCOUNTS
      ? eventsOf(sql, hour, accounts)
      : readHourEventsWhole(sql, { hour, buckets })
  const stream: Stream = { reading, sums, isOpen: accounts === null, current: undefined }
  for await (const page of pages) await addPage(stream, page)
  const facts: AccountFacts[] = []
  for (const sum of sums.values()) {
    if (reading.acted.has(sum.key.account)) await addAdjustments(reading, sum)
    facts.push(factsOf(sum))
  }
  return facts
}

interface Stream {
  readonly reading: Reading
  readonly sums: Map<string, Sums>
  /** Accounts that come up are added; otherwise they are none of those asked for. */
  readonly isOpen: boolean
  current: Sums | undefined
}

/** Events come in key order: those of an account one after the other, so its digest is ready when the next one begins. */
async function addPage(stream: Stream, page: readonly SettledEvent[]): Promise<void> {
  const { reading, sums, isOpen } = stream
  for (const event of page) {
    const turn = settlingTurns.isOver()
    if (turn) await turn
    if (stream.current?.key.account !== event.account) {
      if (stream.current) finishDigest(reading, stream.current)
      stream.current = sums.get(event.account)
      if (!stream.current && isOpen)
        sums.set(event.account, (stream.current = begin(reading.duplicates, event)))
    }
    if (stream.current) add(stream.current, reading, event)
  }
}

/** The texts that wait to be hashed need not be kept, unless releases or voids follow. */
function finishDigest({ acted }: Reading, sums: Sums): void {
  if (!acted.has(sums.key.account)) sums.eventsDigest = endDigest(sums.digest)
}

interface Reading extends Pick<ReadCycleFacts, 'hour' | 'duplicates' | 'onDamaged'> {
  readonly sql: Sql
  readonly book: PriceBook
  /** Older hours of which the cycle has events, by account. */
  readonly late: ReadonlyMap<string, readonly LateHour[]>
  /** Accounts with releases or voids. */
  readonly acted: ReadonlySet<string>
}

/** Accounts that have events of older hours in the cycle. */
function latecomers(late: ReadonlyMap<string, readonly LateHour[]>): readonly SettledAccount[] {
  return [...late.values()].map(([first]) => first!)
}

function namesOf(accounts: readonly SettledAccount[]): ReadonlySet<string> {
  return new Set(accounts.map(({ account }) => account))
}

async function* eventsOf(
  sql: Sql,
  hour: Hour,
  accounts: readonly SettledAccount[],
): AsyncGenerator<readonly SettledEvent[]> {
  for (const { bucket, account } of accounts) yield* pagesOf(sql, { hour, cycle: hour, bucket, account })
}

/** The events of one account's hour that count in a cycle, in key order. */
async function* pagesOf(
  sql: Sql,
  range: Omit<ListHourEvents, 'after' | 'limit'>,
): AsyncGenerator<readonly SettledEvent[]> {
  let after: SettledEvent | undefined
  for (;;) {
    const page = await run(sql, listHourEvents, { ...range, after, limit: PAGE_EVENTS })
    yield page
    if (page.length < PAGE_EVENTS) return
    after = page.at(-1)
  }
}

/** The events of one account's older hours that count in a cycle, in key order. However many days they are of, few stay locked. */
async function* latePagesOf(
  sql: Sql,
  cycle: Hour,
  hours: readonly LateHour[],
): AsyncGenerator<readonly SettledEvent[]> {
  for (const { items } of byMonth(hours, ({ hour }) => hour)) {
    const place: LatePlace = { hours: items, index: 0, after: undefined }
    while (place.index < items.length) yield await releasingLocks(sql, () => nextLatePage(sql, cycle, place))
  }
}

interface LatePlace {
  readonly hours: readonly LateHour[]
  index: number
  after: SettledEvent | undefined
}

/** From the place on, of as many hours as it takes. */
async function nextLatePage(sql: Sql, cycle: Hour, place: LatePlace): Promise<readonly SettledEvent[]> {
  const page: SettledEvent[] = []
  while (place.index < place.hours.length && page.length < PAGE_EVENTS) {
    const range = { ...place.hours[place.index]!, cycle, after: place.after, limit: PAGE_EVENTS }
    const found = await run(sql, listHourEvents, range)
    page.push(...found)
    place.after = found.length === PAGE_EVENTS ? found.at(-1) : undefined
    if (!place.after) place.index += 1
  }
  return page
}

/** All events of one account in a cycle, late ones first: for what has to look at them one by one. */
export async function* eventsOfAccount(
  sql: Sql,
  cycle: Hour,
  settled: SettledAccount,
): AsyncGenerator<SettledEvent> {
  const late = await run(sql, listLateHours, { cycle, buckets: [settled.bucket] })
  const own = late.filter(({ account }) => account === settled.account)
  for await (const page of latePagesOf(sql, cycle, own)) yield* page
  for await (const page of eventsOf(sql, cycle, [settled])) yield* page
}

interface Sums {
  readonly key: SettledAccount
  readonly hour: AccountHour
  readonly digest: RunningDigest
  /** Once it is ready. */
  eventsDigest: string | undefined
  readonly fingerprints: Map<Hour, number[]>
  readonly duplicates: ReadonlySet<string> | undefined
  count: number
  held: number
}

function begin(duplicates: DuplicateMarks, { bucket, account }: SettledAccount): Sums {
  return {
    key: { bucket, account },
    hour: emptyAccountHour(),
    digest: startDigest(),
    eventsDigest: undefined,
    fingerprints: new Map(),
    duplicates: duplicates.get(account),
    count: 0,
    held: 0,
  }
}

async function addLate(reading: Reading, sums: Sums): Promise<void> {
  const { sql, hour: cycle, late } = reading
  for await (const page of latePagesOf(sql, cycle, late.get(sums.key.account) ?? [])) {
    for (const event of page) {
      const turn = settlingTurns.isOver()
      if (turn) await turn
      add(sums, reading, event)
    }
  }
}

function add(sums: Sums, reading: Reading, event: SettledEvent): void {
  sums.count += 1
  addText(sums.digest, eventText(event))
  if (sums.duplicates?.has(copyName(event))) return
  const fingerprints = sums.fingerprints.get(event.hour)
  if (fingerprints) fingerprints.push(fingerprintOf(event))
  else sums.fingerprints.set(event.hour, [fingerprintOf(event)])
  addOrTake(sums, reading, event, (...counted) => {
    if (!addEvent(...counted)) sums.held += 1
  })
}

type Count = (sums: AccountHour, book: PriceBook, event: CountedEvent) => unknown

/** What an event comes to, added or voided. */
function addOrTake(sums: Sums, { book, onDamaged }: Reading, event: SettledEvent, how: Count): void {
  try {
    const { type, hour, at, source, id } = event
    how(sums.hour, book, { usage: reread(book.eventTypes, type, event.data), type, hour, at, source, id })
  } catch (error) {
    if (!onDamaged) throw error
    onDamaged(event)
  }
}

function factsOf({ key, hour, digest, eventsDigest, count, held, fingerprints }: Sums): AccountFacts {
  const levels = [...hour.levels.values()]
  return {
    ...key,
    ...hour,
    levels,
    count,
    held,
    fingerprints,
    eventsDigest: eventsDigest ?? endDigest(digest),
  }
}

/** Held events that were released into the cycle count in it; what was voided does not, or no more. */
async function addAdjustments(reading: Reading, sums: Sums): Promise<void> {
  const { sql, hour: cycle } = reading
  const where = { cycle, ...sums.key }
  for await (const { adjustment, event } of adjustmentsOf(sql, listReleasedEvents, where)) {
    sums.count += 1
    addText(sums.digest, releaseText(adjustment))
    countAdjustment(sums, reading, event, (...counted) =>
      invariant(addEvent(...counted), 'the price book covers what was released'),
    )
  }
  for await (const { adjustment, event } of adjustmentsOf(sql, listVoidedEvents, where)) {
    sums.count += 1
    addText(sums.digest, voidText(adjustment))
    if (adjustment.counted !== null) countAdjustment(sums, reading, event, takeBack)
  }
}

function countAdjustment(sums: Sums, reading: Reading, event: AdjustedEvent | undefined, how: Count): void {
  invariant(event !== undefined || reading.onDamaged !== undefined, 'no event is ever deleted')
  if (event !== undefined && !event.isDuplicate) addOrTake(sums, reading, event, how)
}
