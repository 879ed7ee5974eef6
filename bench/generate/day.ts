import { type Account, makeAccounts, requirePlainNames } from './accounts.ts'
import { dayStartMs, requireInteger } from './bounds.ts'
import { deliver, makeCall, type Span } from './calls.ts'
import { grow, type Level, openLevels, REPORTS_PER_LEVEL } from './levels.ts'
import { makeOutbox } from './outbox.ts'
import { seededRandom, uuid } from './random.ts'
import { weighted } from './weighted.ts'
import { storageLine } from './wire.ts'

export interface DayOptions {
  readonly seed: number
  /** `YYYY-MM-DD`, from 00:00 UTC to 24:00 UTC. */
  readonly day: string
  /** How many, or which. */
  readonly accounts: number | readonly Account[]
  /** Lines in all, exactly: copies of retried deliveries included. */
  readonly events: number
}

const HOUR_MS = 3_600_000
const HOURS = 24
/** At most this share of the events report storage; with few events, only the largest accounts store. */
const STORAGE_SHARE = 0.08
/** Calls by the hour of the users' clock, from midnight on, in proportion. */
const CURVE = [6, 5, 4, 4, 4, 5, 7, 9, 12, 14, 15, 15, 14, 14, 15, 15, 15, 15, 16, 17, 17, 15, 11, 8]

/**
 * A day of usage events as lines of NDJSON (without the newline), in order of arrival.
 *
 * The same options make the same bytes, on every machine. Memory holds the accounts, and what is on its way:
 * late deliveries and tasks that run. Every event's `time` is in the day, also of those that arrive after it.
 */
export function* generateDay(options: DayOptions): Generator<string, void, undefined> {
  const { seed, day, events } = options
  const accounts = typeof options.accounts === 'number' ? makeAccounts(options.accounts) : options.accounts
  requirePlainNames(accounts)
  requireInteger('events', events, 0, Number.MAX_SAFE_INTEGER)
  const fromMs = dayStartMs(day)
  const random = seededRandom(seed)
  const levels = openLevels(accounts, random, Math.floor((events * STORAGE_SHARE) / REPORTS_PER_LEVEL))
  const room = events - levels.length * REPORTS_PER_LEVEL
  const span: Span = { random, outbox: makeOutbox(), fromMs, toMs: fromMs + HOURS * HOUR_MS, room }

  const busyness = Array.from({ length: HOURS }, (_, hour) => sum(weightsAt(accounts, hour)))
  const unitsPerWeight = room / sum(busyness)
  let until = 0
  for (let hour = 0; hour < HOURS; hour++) {
    reportLevels(span, levels, hour)
    until += busyness[hour]! * unitsPerWeight
    yield* fillHour(span, accounts, hour, hour === HOURS - 1 ? 0 : room - Math.round(until))
  }
  yield* arrivals(span, Infinity)
}

/** Calls until only `roomLeft` is left, spread over the hour. */
function* fillHour(span: Span, accounts: readonly Account[], hour: number, roomLeft: number) {
  const pick = weighted(weightsAt(accounts, hour))
  const startMs = span.fromMs + hour * HOUR_MS
  const planned = span.room - roomLeft
  while (span.room > roomLeft) {
    const passed = (planned - (span.room - roomLeft) + span.random.unit()) / planned
    const atMs = startMs + Math.floor(passed * HOUR_MS)
    yield* arrivals(span, atMs)
    makeCall(span, accounts[pick(span.random)]!, atMs)
  }
}

/** What has arrived by `untilMs`. Nothing that is made later can arrive earlier. */
function* arrivals({ outbox }: Span, untilMs: number) {
  for (let line = outbox.take(untilMs); line !== undefined; line = outbox.take(untilMs)) yield line
}

/** All reports of the hour, sent in advance: the outbox keeps them until they are due. */
function reportLevels(span: Span, levels: readonly Level[], hour: number): void {
  for (const level of levels) {
    if (hour > 0) grow(level, span.random)
    report(span, level, span.fromMs + hour * HOUR_MS + (hour === 0 ? 0 : level.reportedAtMs))
    if (hour < HOURS - 1) continue
    // Ended in the day's last millisecond, or it would be billed in every hour from now on.
    level.bytes = 0
    report(span, level, span.toMs - 1)
  }
}

function report(span: Span, { place, dataset, bytes }: Level, atMs: number): void {
  deliver(span, atMs, storageLine(uuid(span.random), atMs, place, dataset, bytes))
}

function weightsAt(accounts: readonly Account[], hour: number): number[] {
  return accounts.map(({ share, utcOffset }) => share * CURVE[(hour + utcOffset + HOURS) % HOURS]!)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
