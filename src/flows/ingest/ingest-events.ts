import type pg from 'pg'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { type Marks, readMarks } from '../../store/queries/read-marks.ts'
import { runOne } from '../../store/query.ts'
import type { Delivered, Ingest, NotSubmitted, Submitted } from './ingest-types.ts'
import { accountsOf, readGroup, suspectsOf, type WaitingDelivery } from './read-group.ts'
import { SeenKeys, Wariness } from './seen-keys.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { NewerAccounts, NewerPrices, storeGroup } from './store-group.ts'

/** Events that wait for their commit, at most: a few seconds of work, and a bound on memory. */
export const QUEUE_EVENTS_MAX = 50_000
/** Events that share a transaction, at most, unless one delivery alone has more. */
export const GROUP_EVENTS_MAX = 4_000
/** Transactions at once: one waits for the disk while the other sends rows. */
const LANES = 2
const RETRY_AFTER_SECONDS = 1

interface Waiting extends WaitingDelivery {
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
  const queue: Waiting[] = []
  const days = new Set<number>()
  const seen = new SeenKeys()
  const wariness = new Wariness()
  /** Transactions under way. They never reject. */
  const storing = new Set<Promise<unknown>>()
  const lanes = new Set<Promise<void>>()
  let queued = 0
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
    writer = '',
  ): Promise<Submitted> {
    if (stopping) return Promise.resolve(refuse('ingest/stopping'))
    if (queued > 0 && queued + batch.length > QUEUE_EVENTS_MAX) {
      return Promise.resolve(refuse('ingest/overloaded'))
    }
    queued += batch.length
    return new Promise((resolve, reject) => {
      const receivedAt = (Date.now() + clockAheadMs) as Instant
      queue.push({ batch, boundAccount, receivedAt, writer, resolve, reject })
      if (lanes.size < LANES) startLane()
    })
  }

  function startLane(): void {
    const lane = drain().finally(() => {
      lanes.delete(lane)
      // A delivery may have come after the lane found the queue empty.
      if (queue.length > 0 && lanes.size < LANES) startLane()
    })
    lanes.add(lane)
  }

  async function drain(): Promise<void> {
    // Deliveries of the same tick share the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.length > 0) await store(takeGroup(queue))
  }

  async function store(group: readonly Waiting[]): Promise<void> {
    try {
      await storeUnderNewest(group)
    } catch (error) {
      log.error({ err: error }, 'A group of events was not stored: its senders are asked to send it again')
      for (const { resolve } of group) resolve(refuse('ingest/unavailable'))
    } finally {
      for (const { batch } of group) queued -= batch.length
    }
  }

  async function storeUnderNewest(group: readonly Waiting[]): Promise<void> {
    for (;;) {
      try {
        const rules = await accounts.rulesFor(accountsOf(group))
        const { version, book } = newest
        const read = readGroup(book, rules, group)
        const reads = read.flatMap((delivery) => delivery.reads)
        const suspects = suspectsOf(seen, reads)
        // What is being stored at this moment could not be found: it is waited for.
        if (suspects.size > 0) await Promise.all(storing)
        const versions = { priceVersion: version, accountsVersion: rules.version }
        const context = { pool, ...versions, suspects, wariness, days, onMarks }
        const results = (await tracked(storeGroup(context, reads))).values()
        for (const { waiting, reads: own } of read) {
          waiting.resolve({ ok: true, results: own.map(() => results.next().value!) })
        }
        return
      } catch (error) {
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

/** The first deliveries of the queue that share a transaction: at least one. */
function takeGroup(queue: Waiting[]): readonly Waiting[] {
  let events = 0
  let taken = 0
  for (const { batch } of queue) {
    if (taken > 0 && events + batch.length > GROUP_EVENTS_MAX) break
    events += batch.length
    taken += 1
  }
  return queue.splice(0, taken)
}

const REASONS: Record<NotSubmitted['code'], string> = {
  'ingest/overloaded': 'More events wait than can be stored at once: nothing was stored, send them again.',
  'ingest/unavailable': 'The database did not store the events: send them again, repeats are harmless.',
  'ingest/stopping': 'Farthing is stopping: nothing was stored, send the events again.',
}

function refuse(code: NotSubmitted['code']): NotSubmitted {
  return { ok: false, code, detail: REASONS[code], retryAfterSeconds: RETRY_AFTER_SECONDS }
}
