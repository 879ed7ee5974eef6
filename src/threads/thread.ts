import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { Log } from '../store/connect.ts'
import type { LogEntry } from './forwarding-log.ts'

/** Says what `dist/` was compiled from. */
const SOURCES = new URL('../../.sources', import.meta.url)
/** … when this process began. */
const COMPILED_FROM = compiledFrom()

/** To every thread: finish what was begun, and end. */
export interface CloseTask {
  readonly kind: 'close'
}

/** From every thread. */
export type ThreadReport = { readonly kind: 'ready' } | LogEntry

/** A thread that has not ended by itself after this long is ended. Its database sessions were, before. */
export const THREAD_STOP_MS = 16_000

interface Kind {
  readonly kind: string
}

export interface ThreadStart<Report> {
  /** The module that runs in it. */
  readonly module: URL
  /** What to call it: 'the thread for settlement'. */
  readonly name: string
  /** What it needs: plain data. */
  readonly setup: unknown
  readonly log: Log
  /** Told what it reports, but for its log. */
  readonly hear: (report: Report) => void
  /** Its memory; without it, that of the process. */
  readonly limits?: ResourceLimits
  /** Told when it has run out of memory, and is gone; without it, that ends the process. */
  readonly onOutOfMemory?: () => void
}

/** A thread that has begun, as seen by the main one. */
export interface Thread<Task> {
  /** @param moved memory of the task that the thread has from now on */
  send(task: Task, moved?: readonly ArrayBuffer[]): void
  /** Wait until it has ended, which is no longer than 16 s. */
  close(): Promise<void>
}

/**
 * Rejects when it cannot be started. What goes wrong in it later ends the process, as a bug of the main thread does, but for memory. A thread
 * is never of other sources than its process.
 */
export async function startThread<Task, Report extends Kind>(
  start: ThreadStart<Report>,
): Promise<Thread<Task>> {
  const { module, name, setup, limits, onOutOfMemory } = start
  if (compiledFrom() !== COMPILED_FROM) throw new Error('Farthing was compiled again: start it again')
  const worker = new Worker(module, { workerData: setup, ...(limits ? { resourceLimits: limits } : {}) })
  await untilReady(worker, start)
  let closing = false
  worker.on('error', (error) => {
    if (!onOutOfMemory || codeOf(error) !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    closing = true
    onOutOfMemory()
  })
  worker.on('exit', () => {
    if (!closing) throw new Error(`${name} has ended`)
  })
  return {
    send: (task, moved = []) => worker.postMessage(task, moved),
    async close() {
      if (closing) return
      closing = true
      const ended = once(worker, 'exit')
      worker.postMessage({ kind: 'close' } satisfies CloseTask)
      const timer = setTimeout(() => void worker.terminate(), THREAD_STOP_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

async function untilReady<Report extends Kind>(worker: Worker, start: ThreadStart<Report>): Promise<void> {
  const { name, log, hear } = start
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error(`${name} has ended before it began`)))
    worker.on('message', (report: ThreadReport | Report) => {
      if (!isOfEvery(report)) hear(report)
      else if (report.kind === 'log') log[report.level](report.fields, report.text)
      else resolve()
    })
  })
  worker.removeAllListeners('error').removeAllListeners('exit')
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function isOfEvery(report: Kind): report is ThreadReport {
  return report.kind === 'ready' || report.kind === 'log'
}

/** Undefined: this process was not compiled into `dist/`. */
function compiledFrom(): string | undefined {
  try {
    return readFileSync(SOURCES, 'utf8')
  } catch {
    return undefined
  }
}
