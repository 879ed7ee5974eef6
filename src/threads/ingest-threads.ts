import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { QUEUE_EVENTS_MAX } from '../flows/ingest/ingest.ts'
import type { LargeDeliveries, SentDelivery, TakenDelivery } from '../http/body/take-delivery.ts'
import { HttpProblem } from '../http/api/problem.ts'
import type { Log } from '../store/connect.ts'
import type { IngestReport, IngestSetup, TakeTask } from './ingest-messages.ts'
import { startThread, type Thread } from './thread.ts'

/** Threads for large deliveries, on a machine with more than one core. */
export const INGEST_THREADS_MAX = 2
/** After threads could not be started, large deliveries are taken by the main thread for so long. */
export const THREADS_AGAIN_MS = 60_000
/** A large delivery waits for threads that start, a part of a second as a rule, and no longer than this. */
export const THREADS_AWAITED_MS = 5_000

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
}

/**
 * Threads that read and store large deliveries, each like a process of its own: only bytes go to them, and only counts
 * come back. They are started by the first such delivery, and it and those after it wait for them: small requests would
 * wait for the main thread if that took them meanwhile. After a start that failed or takes seconds deliveries are left to
 * the caller, after one that failed for a minute.
 */
export function makeIngestThreads(
  setup: Omit<IngestSetup, 'waitingMax'>,
  { log, cores = availableParallelism(), worker = WORKER, awaitedMs = THREADS_AWAITED_MS }: ThreadOptions,
): IngestThreads {
  const threadsMax = cores > 1 ? INGEST_THREADS_MAX : 0
  const waitingMax = Math.floor(QUEUE_EVENTS_MAX / INGEST_THREADS_MAX)
  const ready: IngestThread[] = []
  let starting: Promise<void> | undefined
  let awaited: Promise<void> | undefined
  let startAgainAt = 0
  let closing = false

  async function startOne(): Promise<void> {
    ready.push(await IngestThread.start(worker, { ...setup, waitingMax }, log))
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
    const missing = threadsMax - ready.length
    if (missing === 0 || starting || performance.now() < startAgainAt) return
    starting = startAll(missing).finally(() => (starting = awaited = undefined))
    awaited = Promise.race([starting, sleep(awaitedMs, undefined, { ref: false })])
  }

  function give(sent: SentDelivery): Promise<TakenDelivery> | undefined {
    if (closing || ready.length === 0) return undefined
    return ready.reduce((least, thread) => (thread.bytes < least.bytes ? thread : least)).take(sent)
  }

  return {
    take(sent) {
      if (closing) return undefined
      startMissing()
      return give(sent) ?? awaited?.then(() => give(sent))
    },
    async close() {
      closing = true
      await starting
      await Promise.all(ready.map((thread) => thread.close()))
    },
  }
}

interface Pending {
  readonly bytes: number
  resolve(taken: TakenDelivery): void
  reject(error: unknown): void
}

/** One thread, and what it was given and has not answered. */
class IngestThread {
  #thread: Thread<TakeTask> | undefined
  readonly #pending = new Map<number, Pending>()
  #taken = 0
  /** Of bodies that it was given and has not answered. */
  bytes = 0

  static async start(module: URL, setup: IngestSetup, log: Log): Promise<IngestThread> {
    const one = new IngestThread()
    const name = 'a thread for large deliveries'
    const hear = (report: IngestReport) => one.#hear(report)
    one.#thread = await startThread<TakeTask, IngestReport>({ module, name, setup, log, hear })
    return one
  }

  take({ body, ...sent }: SentDelivery): Promise<TakenDelivery> {
    const number = this.#taken++
    const bytes = body.length
    this.bytes += bytes
    const moved = movable(body)
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { bytes, resolve, reject })
      this.#thread!.send({ kind: 'take', number, sent, body: moved }, [moved.buffer])
    })
  }

  #hear(report: IngestReport): void {
    const pending = this.#pending.get(report.number)!
    this.#pending.delete(report.number)
    this.bytes -= pending.bytes
    if (report.kind === 'taken') pending.resolve(report.taken)
    else if (report.kind === 'bug') pending.reject(report.error)
    else pending.reject(new HttpProblem(report.code, report.detail, report.headers))
  }

  close(): Promise<void> {
    return this.#thread!.close()
  }
}

/** Memory that holds a body and nothing else: it cannot be read here any more once it is moved to a thread. */
function movable(body: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(body)
}
