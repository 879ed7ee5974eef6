import type pg from 'pg'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { type Marks, readMarks } from '../../store/queries/read-marks.ts'
import { runOne } from '../../store/query.ts'
import type { Delivered, Ingest, NotSubmitted, SubmitOptions, Submitted } from './ingest-types.ts'
import { FairQueue } from './fair-queue.ts'
import { accountsOf, readGroup, suspectsOf, type WaitingDelivery } from './read-group.ts'
import { SeenKeys, Wariness } from './seen-keys.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { NewerAccounts, NewerPrices, NewerRules, storeGroup } from './store-group.ts'
import { StoredResults } from './stored-results.ts'

/** Events that wait for their commit, at most: a few seconds of work, and a bound on memory. */
export const QUEUE_EVENTS_MAX = 50_000
/** Events that share a transaction, at most, unless one delivery alone has more. */
export const GROUP_EVENTS_MAX = 4_000
/** The same while several senders wait: each has its turn soon. */
export const SHARED_GROUP_EVENTS_MAX = 1_000
/** Transactions at once: one waits for the disk while the other sends rows. */
const LANES = 2
/** Events that wait before a second transaction is begun: fewer are better off sharing the next one. */
const SECOND_LANE_EVENTS = 500
const RETRY_AFTER_SECONDS = 1

interface Waiting extends WaitingDelivery {
  /** Whose turn it uses. */
  readonly sender: string
  readonly resolve: (submitted: Submitted) => void
}

export interface IngestOptions {
  readonly pool: pg.Pool
  readonly log: Log
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts
}

/**
 * Group commit: deliveries that come while a transaction is under way share the next one, so that many small
 * deliveries cost about as much as one large one. Any number of processes may do so on one database.
 */
export async function createIngest({ pool, log, taken = 'any' }: IngestOptions): Promise<Ingest> {
  const queue = new FairQueue<Waiting>({
    waitingMax: QUEUE_EVENTS_MAX,
    groupMax: GROUP_EVENTS_MAX,
    sharedGroupMax: SHARED_GROUP_EVENTS_MAX,
  })
  const days = new Set<number>()
  const seen = new SeenKeys()
  const wariness = new Wariness()
  /** Transactions under way. They never reject. */
  const storing = new Set<Promise<unknown>>()
  const lanes = new Set<Promise<void>>()
  let stopping = false
  const accounts = makeAccountMemory(pool, taken)
  await accounts.refresh()
  let newest = await bookOf(pool, null)
  let clockAheadMs = 0
  const onMarks = ({ now }: Marks) => {
    clockAheadMs = now - Date.now()
  }
  const marks = await runOne(pool, readMarks, undefined)
  if (marks) onMarks(marks)

  function submit(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    { writer = '', sender = '' }: SubmitOptions = {},
  ): Promise<Submitted> {
    if (stopping) return Promise.resolve(refuse('ingest/stopping'))
    return new Promise((resolve, reject) => {
      const receivedAt = (Date.now() + clockAheadMs) as Instant
      const waiting = { batch, boundAccount, receivedAt, writer, sender, resolve, reject }
      for (const givesWay of queue.add(waiting)) givesWay.resolve(refuse('ingest/overloaded'))
      startLanes()
    })
  }

  function startLanes(): void {
    if (queue.isEmpty) return
    if (lanes.size === 0 || (lanes.size < LANES && queue.events >= SECOND_LANE_EVENTS)) startLane()
  }

  function startLane(): void {
    const lane = drain().finally(() => {
      lanes.delete(lane)
      // A delivery may have come after the lane found the queue empty.
      startLanes()
    })
    lanes.add(lane)
  }

  async function drain(): Promise<void> {
    // Deliveries of the same tick share the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (!queue.isEmpty) await store(queue.takeGroup())
  }

  async function store(group: readonly Waiting[]): Promise<void> {
    try {
      await storeUnderNewest(group)
    } catch (error) {
      log.error({ err: error }, 'A group of events was not stored: its senders are asked to send it again')
      for (const { resolve } of group) resolve(refuse('ingest/unavailable'))
    }
  }

  async function storeUnderNewest(group: readonly Waiting[]): Promise<void> {
    const stored = new StoredResults<Waiting>()
    for (;;) {
      const rules = await accounts.rulesFor(accountsOf(group))
      const { version, book } = newest
      const read = readGroup(book, rules, group)
      try {
        const reads = read.flatMap((delivery) => stored.remaining(delivery))
        const suspects = suspectsOf(seen, reads)
        // What is being stored at this moment could not be found: it is waited for.
        if (suspects.size > 0) await Promise.all(storing)
        const versions = { priceVersion: version, accountsVersion: rules.version }
        const context = { pool, ...versions, suspects, wariness, days, onMarks }
        const results = (await tracked(storeGroup(context, reads))).values()
        for (const delivery of read) {
          delivery.waiting.resolve({ ok: true, results: stored.all(delivery, results) })
        }
        return
      } catch (error) {
        if (error instanceof NewerRules) stored.keep(read, error.stored)
        if (error instanceof NewerPrices) newest = await bookOf(pool, null)
        else if (error instanceof NewerAccounts) await accounts.refresh()
        else throw error
      }
    }
  }

  async function tracked<Result>(work: Promise<Result>): Promise<Result> {
    const settled = work.catch(() => undefined)
    storing.add(settled)
    try {
      return await work
    } finally {
      storing.delete(settled)
    }
  }

  async function close(): Promise<void> {
    stopping = true
    while (lanes.size > 0) await Promise.all(lanes)
  }

  return { submit, close }
}

const REASONS: Record<NotSubmitted['code'], string> = {
  'ingest/overloaded': 'More events wait than can be stored at once: nothing was stored, send them again.',
  'ingest/unavailable': 'The database did not store the events: send them again, repeats are harmless.',
  'ingest/stopping': 'Farthing is stopping: nothing was stored, send the events again.',
}

function refuse(code: NotSubmitted['code']): NotSubmitted {
  return { ok: false, code, detail: REASONS[code], retryAfterSeconds: RETRY_AFTER_SECONDS }
}
