import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { FairQueue } from '../flows/ingest/commit-queue.ts'
import { QUEUE_EVENTS_MAX } from '../flows/ingest/ingest.ts'
import type { LargeDeliveries } from '../http/body/delivery-types.ts'
import type { Log } from '../store/connect.ts'
import type { IngestSetup } from './ingest-messages.ts'
import { IngestThread, THREAD_HEAP_MIB_MAX, type WaitingDelivery } from './ingest-thread.ts'

/** Threads for large deliveries; one on a machine with one core. */
export const INGEST_THREADS_MAX = 2
/** After threads could not be started, large deliveries are taken by the main thread for so long. */
export const THREADS_AGAIN_MS = 60_000
/** A large delivery waits for threads that start, a part of a second as a rule, and no longer than this. */
export const THREADS_AWAITED_MS = 5_000
/** So many threads that run out of memory … */
export const THREADS_LOST_MAX = 5
/** … within so long end the process. */
export const THREADS_LOST_MS = 60_000
/** The exit code of a process whose threads have run out of memory again and again. */
export const OUT_OF_MEMORY_EXIT = 70

const WORKER = new URL('ingest-worker.js', import.meta.url)

export interface IngestThreads extends LargeDeliveries {
  /** Wait for what was taken, and end the threads. */
  close(): Promise<void>
}

export interface ThreadOptions {
  readonly log: Log
  readonly cores?: number
  /** The module that runs in each thread. */
  readonly worker?: URL
  /** Milliseconds that a delivery waits for threads that start. */
  readonly awaitedMs?: number
  /** Memory of each thread. */
  readonly heapMib?: number
  /** Ends the process. */
  readonly exit?: (code: number) => void
}

/** A delivery that waits for a thread: senders take turns, and what counts is its bytes. */
interface Queued extends WaitingDelivery {
  readonly sender: string
  readonly batch: { readonly length: number }
}

/** What waits is bounded by the memory for bodies. */
const QUEUE = { waitingMax: Infinity, groupMax: 0, sharesGroups: false }

/**
 * Threads that read and store large deliveries, each like a process of its own with memory of its own: only bytes go to
 * them, and only answers come back. They are started by the first such delivery, and it and those after it wait for them:
 * small requests would wait for the main thread if that took them meanwhile. After a start that failed or takes seconds
 * deliveries are left to the caller, after one that failed for a minute. A thread that runs out of memory is replaced.
 */
export function makeIngestThreads(
  setup: Omit<IngestSetup, 'waitingMax'>,
  {
    log,
    cores = availableParallelism(),
    worker = WORKER,
    awaitedMs = THREADS_AWAITED_MS,
    heapMib = THREAD_HEAP_MIB_MAX,
    exit = endSoon,
  }: ThreadOptions,
): IngestThreads {
  const threadsMax = cores > 1 ? INGEST_THREADS_MAX : 1
  const waitingMax = Math.floor(QUEUE_EVENTS_MAX / INGEST_THREADS_MAX)
  const ready = new Set<IngestThread>()
  const queue = new FairQueue<Queued>(QUEUE)
  /** Whose turn it is, and for which there was no room yet. */
  let next: Queued | undefined
  let starting: Promise<void> | undefined
  /** Do deliveries wait for threads that start? */
  let isAwaited = false
  let startAgainAt = 0
  let closing = false
  const lostAt: number[] = []

  async function startOne(): Promise<void> {
    const options = { module: worker, setup: { ...setup, waitingMax }, log, heapMib, onRoom: giveAll, onLost }
    ready.add(await IngestThread.start(options))
    giveAll()
  }

  async function startAll(missing: number): Promise<void> {
    const started = await Promise.allSettled(Array.from({ length: missing }, startOne))
    const failed = started.find((one) => one.status === 'rejected')
    if (!failed) return
    startAgainAt = performance.now() + THREADS_AGAIN_MS
    const fields = { err: failed.reason as unknown }
    log.warn(fields, 'Threads for large deliveries were not started: the main thread takes them')
  }

  function startMissing(): void {
    const missing = threadsMax - ready.size
    if (closing || missing === 0 || starting || performance.now() < startAgainAt) return
    isAwaited = true
    starting = startAll(missing).finally(() => (starting = undefined))
    void Promise.race([starting, sleep(awaitedMs, undefined, { ref: false })]).then(() => {
      isAwaited = false
      if (ready.size === 0) leaveAll()
    })
  }

  function onLost(thread: IngestThread): void {
    ready.delete(thread)
    const now = performance.now()
    lostAt.push(now)
    while (now - lostAt[0]! >= THREADS_LOST_MS) lostAt.shift()
    if (lostAt.length < THREADS_LOST_MAX) {
      log.warn({}, 'A thread for large deliveries has run out of memory: another one is started')
      startMissing()
      return
    }
    const fields = { threads: lostAt.length, withinMs: THREADS_LOST_MS }
    log.error(fields, 'Threads for large deliveries run out of memory again and again: the process ends')
    exit(OUT_OF_MEMORY_EXIT)
  }

  function takeNext(): Queued | undefined {
    next ??= queue.takeGroup()[0]
    return next
  }

  /** To the thread with the least to do, as long as there is room. */
  function giveAll(): void {
    for (let waiting = takeNext(); waiting; waiting = takeNext()) {
      const { length } = waiting.batch
      const free = [...ready].filter((thread) => thread.hasRoomFor(length))
      if (free.length === 0) return
      next = undefined
      free.reduce((least, thread) => (thread.bytes < least.bytes ? thread : least)).give(waiting)
    }
  }

  /** To the main thread. */
  function leaveAll(): void {
    for (let waiting = takeNext(); waiting; waiting = takeNext()) {
      next = undefined
      waiting.resolve(undefined)
    }
  }

  return {
    take(sent) {
      startMissing()
      if (closing || (ready.size === 0 && !isAwaited)) return undefined
      return new Promise((resolve, reject) => {
        queue.add({ sent, sender: sent.sender ?? '', batch: sent.body, resolve, reject })
        giveAll()
      })
    },
    async close() {
      closing = true
      leaveAll()
      await starting
      await Promise.all([...ready].map((thread) => thread.close()))
    },
  }
}

/** After the log is written. */
function endSoon(code: number): void {
  setTimeout(() => process.exit(code), 100)
}
