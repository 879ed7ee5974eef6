import type pg from 'pg'
import type { Instant } from '../../core/time/instant.ts'
import type { Log } from '../../store/connect.ts'
import { findWatermarks } from '../../store/deployment.ts'
import { FEW_EVENTS } from '../../store/events-table.ts'
import { runOne } from '../../store/query.ts'
import type { Delivered, Ingest, NotSubmitted, SubmitOptions, Submitted } from './ingest-types.ts'
import { accountsOf, readGroup, suspectsOf, type WaitingDelivery } from './read-group.ts'
import { type LineLimits, makeLine } from './waiting-line.ts'
import { SEEN_KEYS_BYTES, SeenKeys, Wariness } from './seen-keys.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { remarkStored } from './remark-results.ts'
import { NewerAccounts, NewerPrices, NewerRules, storeGroup } from './store-group.ts'
import { StoredResults } from './stored-results.ts'
import { UNDER_WAY_BYTES, UnderWay } from './under-way.ts'

/** Events of large deliveries that wait for their commit, at most: a few seconds of work, and a bound on memory. */
export const QUEUE_EVENTS_MAX = 50_000
/** The same of small ones. */
export const SMALL_QUEUE_EVENTS_MAX = 10_000
/** Events of a small delivery, at most. Small ones do not wait for large ones. */
export const SMALL_DELIVERY_EVENTS_MAX = 100
/** Events of large deliveries that share a transaction, at most, unless one delivery alone has more. */
export const GROUP_EVENTS_MAX = 1_000

/** What is quick is stored apart: three at a time, so that one reads, one is stored, and one waits for the disk. */
const SMALL: LineLimits = {
  waitingMax: SMALL_QUEUE_EVENTS_MAX,
  groupMax: FEW_EVENTS,
  lanes: 3,
  nextLaneEvents: 12,
}
const LARGE: Omit<LineLimits, 'waitingMax'> = {
  groupMax: GROUP_EVENTS_MAX,
  lanes: 2,
  nextLaneEvents: 500,
}
const RETRY_AFTER_SECONDS = 1

interface Waiting extends WaitingDelivery {
  /** Whose turn it uses. */
  readonly sender: string
  readonly resolve: (submitted: Submitted) => void
}

/** What threads of one process share: which events they have seen, and which groups they are storing. */
export interface IngestMemory {
  readonly seenKeys: SharedArrayBuffer
  readonly underWay: SharedArrayBuffer
}

export function makeIngestMemory(): IngestMemory {
  const seenKeys = new SharedArrayBuffer(SEEN_KEYS_BYTES)
  return { seenKeys, underWay: new SharedArrayBuffer(UNDER_WAY_BYTES) }
}

export interface IngestOptions {
  readonly pool: pg.Pool
  readonly log: Log
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts
  /** Its own, unless it is shared with other threads. */
  readonly memory?: IngestMemory
  /** Events of large deliveries that may wait here. */
  readonly waitingMax?: number
  /** Transactions of large deliveries at once. */
  readonly lanes?: number
}

/**
 * Group commit: deliveries that come while a transaction is under way share the next one, so that many small
 * deliveries cost about as much as one large one. Any number of processes may do so on one database.
 */
export async function createIngest({
  pool,
  log,
  taken = 'any',
  memory = makeIngestMemory(),
  waitingMax = QUEUE_EVENTS_MAX,
  lanes = LARGE.lanes,
}: IngestOptions): Promise<Ingest> {
  const [days, types] = [new Set<number>(), new Set<string>()]
  const seen = new SeenKeys(memory.seenKeys)
  const underWay = new UnderWay(memory.underWay)
  const wariness = new Wariness()
  const [small, large] = [
    makeLine<Waiting>(SMALL, store),
    makeLine<Waiting>({ ...LARGE, waitingMax, lanes }, store),
  ]
  let stopping = false
  const accounts = makeAccountMemory(pool, taken)
  await accounts.refresh()
  let newest = await bookOf(pool, null)
  let clockAheadMs = 0
  const onClock = (now: Instant) => {
    clockAheadMs = now - Date.now()
  }
  const marks = await runOne(pool, findWatermarks, undefined)
  if (marks) onClock(marks.now)

  function submit(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
    { writer = '', sender = '' }: SubmitOptions = {},
  ): Promise<Submitted> {
    if (stopping) return Promise.resolve(refuse('ingest/stopping'))
    return new Promise((resolve, reject) => {
      const receivedAt = (Date.now() + clockAheadMs) as Instant
      const waiting = { batch, boundAccount, receivedAt, writer, sender, resolve, reject }
      const line = batch.length <= SMALL_DELIVERY_EVENTS_MAX ? small : large
      for (const givesWay of line.add(waiting)) givesWay.resolve(refuse('ingest/overloaded'))
    })
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
      const read = await readGroup(book, rules, group)
      const name = underWay.begin()
      try {
        const reads = read.flatMap((delivery) => stored.remaining(delivery))
        const { suspects, awaited, groups } = suspectsOf({ seen, underWay }, reads, name)
        const versions = { priceVersion: version, accountsVersion: rules.version }
        const context = { pool, ...versions, suspects, wariness, days, types, onClock }
        const others = async () => {
          underWay.end(name)
          await underWay.waitFor(groups)
        }
        const results = (await storeGroup(context, reads, { awaited, others })).values()
        const judged = read.map((delivery) => ({ ...delivery, results: stored.all(delivery, results) }))
        const remarked = await remarkStored({ pool, log }, book, judged)
        for (const [index, { waiting }] of judged.entries()) {
          waiting.resolve({ ok: true, results: remarked[index]! })
        }
        return
      } catch (error) {
        if (error instanceof NewerRules) stored.keep(read, error.stored)
        if (error instanceof NewerPrices) newest = await bookOf(pool, null)
        else if (error instanceof NewerAccounts) await accounts.refresh()
        else throw error
      } finally {
        underWay.end(name)
      }
    }
  }

  async function close(): Promise<void> {
    stopping = true
    await Promise.all([small.empty(), large.empty()])
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
