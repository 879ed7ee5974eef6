import { type Trouble, troubleOf } from '../../store/trouble.ts'
import { noteStoring } from '../../store/writable.ts'
import type pg from 'pg'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { findWatermarks } from '../../store/deployment.ts'
import { FEW_EVENTS } from '../../store/events-table.ts'
import { runOne } from '../../store/query.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { commitGroup } from './commit.ts'
import type { CommitContext, Results, RulesChanged } from './commit-once.ts'
import { type LaneLimits, makeCommitQueue } from './commit-queue.ts'
import {
  accountsOf,
  type Entry,
  judgedOf,
  makeEntries,
  parseEntries,
  refuseParsed,
  type Waiting,
} from './entries.ts'
import { InFlight } from './in-flight.ts'
import { noteUsageTimes } from './note-usage-times.ts'
import type { Delivered, Ingest, NotSubmitted, SubmitOptions, Submitted } from './ingest-types.ts'
import { remarkStored } from './remark-results.ts'
import { findTooManySeries } from './series-limit.ts'
import { isRefused, type Parsed, type ParsedEvent } from './parse.ts'

/** Events of large deliveries that wait for their commit, at most: a few seconds of work, and a bound on memory. */
export const QUEUE_EVENTS_MAX = 50_000
/** The same of small ones. */
export const SMALL_QUEUE_EVENTS_MAX = 10_000
/** Events of a small delivery, at most. Small ones do not wait for large ones. */
export const SMALL_DELIVERY_EVENTS_MAX = 100
/** Events of large deliveries that share a transaction, at most, unless one delivery alone has more. */
export const GROUP_EVENTS_MAX = 1_000

/** What is quick is stored apart: three at a time, so that one is parsed, one is stored, and one waits for the disk. */
const SMALL: LaneLimits = {
  waitingMax: SMALL_QUEUE_EVENTS_MAX,
  groupMax: FEW_EVENTS,
  sharesGroups: true,
  lanes: 3,
  nextLaneEvents: 12,
}
const LARGE: Omit<LaneLimits, 'waitingMax'> = {
  groupMax: GROUP_EVENTS_MAX,
  sharesGroups: false,
  lanes: 2,
  nextLaneEvents: 500,
}
const RETRY_AFTER_SECONDS = 1

export interface IngestOptions {
  readonly pool: pg.Pool
  readonly log: Log
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts
  /** How far back new usage may be, but for imports of keys of all accounts; undefined: as far as it likes. */
  readonly backfillReachMs?: number | undefined
  /** Series that an account may store data in; undefined: as many as it likes. */
  readonly seriesMax?: number | undefined
  /** Events of large deliveries that may wait here. */
  readonly waitingMax?: number
  /** Transactions of large deliveries at once. */
  readonly lanes?: number
}

/**
 * The door to ingest. Deliveries that come while a transaction is open share the next one, so that many small deliveries
 * cost about as much as one large one (group commit). Any number of processes may do so on one database.
 */
export async function createIngest({
  pool,
  log,
  taken = 'any',
  backfillReachMs,
  seriesMax,
  waitingMax = QUEUE_EVENTS_MAX,
  lanes = LARGE.lanes,
}: IngestOptions): Promise<Ingest> {
  const [days, types] = [new Set<number>(), new Set<string>()]
  const inFlight = new InFlight()
  const times = noteUsageTimes(pool)
  const small = makeCommitQueue<Waiting>(SMALL, commit)
  const large = makeCommitQueue<Waiting>({ ...LARGE, waitingMax, lanes }, commit)
  let stopping = false
  const accounts = makeAccountMemory(pool, taken)
  await accounts.refresh()
  let newest = await bookOf(pool, null)
  let clockAheadMs = 0
  const onClock = (now: Instant) => {
    clockAheadMs = now - Date.now()
  }
  const watermarks = await runOne(pool, findWatermarks, undefined)
  if (watermarks) onClock(watermarks.now)

  function submit(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    { writer = '', sender = '' }: SubmitOptions = {},
  ): Promise<Submitted> {
    if (stopping) return Promise.resolve(refuse('ingest/stopping'))
    return new Promise((resolve, reject) => {
      const receivedAt = (Date.now() + clockAheadMs) as Instant
      const waiting = { batch, boundAccount, receivedAt, writer, sender, resolve, reject }
      const queue = batch.length <= SMALL_DELIVERY_EVENTS_MAX ? small : large
      for (const givesWay of queue.add(waiting)) givesWay.resolve(refuse('ingest/overloaded'))
    })
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    const entries = makeEntries(group)
    let trouble: Trouble | undefined
    try {
      await commitUnderNewestRules(entries)
      noteStoring(undefined)
    } catch (error) {
      trouble = troubleOf(error)
      if (trouble) noteStoring(trouble)
      const why = trouble ? ` ${trouble.advice}` : ''
      const text = `A group of events was not stored: its senders are asked to send it again.${why}`
      log.error({ err: error }, text)
    }
    times.note(entries)
    const judged = [...entries].map(([waiting, own]) => ({ waiting, ...judgedOf(own) }))
    const remarked = await remarkStored({ pool, log }, newest.book, judged)
    for (const [index, { waiting, isWhole }] of judged.entries()) {
      waiting.resolve(isWhole ? { ok: true, results: remarked[index]! } : notStored(trouble))
    }
  }

  /** Commit what can be parsed, again under newer rules if they change meanwhile. */
  async function commitUnderNewestRules(entries: Map<Waiting, readonly Entry[]>): Promise<void> {
    for (;;) {
      const rules = await accounts.rulesFor(accountsOf(entries))
      const { version, book } = newest
      const parsed = parseEntries(book, { accounts: rules, backfillReachMs }, entries)
      refuseParsed(parsed, await findTooManySeries(pool, seriesMax, parsed.keys()))
      const context = { pool, priceVersion: version, accountsVersion: rules.version, days, types, onClock }
      const results: Results = new Map()
      let changed: RulesChanged | undefined
      try {
        changed = await commitApart(context, [...parsed.keys()], results)
      } finally {
        for (const [event, result] of results) parsed.get(event)!.result = result
      }
      if (changed === undefined) return
      if (changed === 'prices') newest = await bookOf(pool, null)
      else await accounts.refresh()
    }
  }

  /** What another group of this process is storing at this moment is stored after it, apart from the rest. */
  async function commitApart(
    context: CommitContext,
    events: readonly Parsed[],
    results: Results,
  ): Promise<RulesChanged | undefined> {
    const others = new Map<Parsed, Promise<unknown>>()
    for (const event of events) {
      // A refused one may be a repeat.
      const identity = isRefused(event) ? event.event : event
      const other = identity && inFlight.commitOf(identity)
      if (other) others.set(event, other)
    }
    const commitHeld = (part: readonly Parsed[]) => {
      const identities = part.filter((event): event is ParsedEvent => !isRefused(event))
      return inFlight.hold(identities, commitGroup(context, part, results))
    }
    if (others.size === 0) return commitHeld(events)
    const changed = await commitHeld(events.filter((event) => !others.has(event)))
    if (changed) return changed
    await Promise.allSettled(others.values())
    return commitHeld([...others.keys()])
  }

  async function close(): Promise<void> {
    stopping = true
    await Promise.all([small.empty(), large.empty()])
    await times.stop()
  }

  return { submit, close }
}

const REASONS = {
  'ingest/overloaded': 'More events wait than can be stored at once: nothing was stored, send them again.',
  'ingest/unavailable': 'The database did not store the events: send them again, repeats are harmless.',
  'ingest/stopping': 'Farthing is stopping: nothing was stored, send the events again.',
}

/** What is only away keeps the code of a delivery; anything else is named. */
function notStored(trouble: Trouble | undefined): NotSubmitted {
  if (trouble === undefined || isAway(trouble)) return refuse('ingest/unavailable')
  const { code, detail } = trouble
  return { ok: false, code, detail, retryAfterSeconds: RETRY_AFTER_SECONDS }
}

function isAway({ code }: Trouble): boolean {
  return code === 'service/unavailable' || code === 'service/too_slow' || code === 'service/busy'
}

function refuse(code: keyof typeof REASONS): NotSubmitted {
  return { ok: false, code, detail: REASONS[code], retryAfterSeconds: RETRY_AFTER_SECONDS }
}
