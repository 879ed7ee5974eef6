import type { MeterProblem } from './problem.ts'
import { type Entry, Pending } from './pending.ts'
import { type Counts, type EventProblem, postBatch, type Target, type Why } from './post-batch.ts'
import { pauseMs } from './retry.ts'
import { quietTimer } from './runtime.ts'

export interface SenderOptions extends Target {
  readonly batchEvents: number
  readonly batchBytes: number
  readonly batchMs: number
  readonly tell: (problem: MeterProblem) => void
  /** The server has refused these as a whole; they are settled next. */
  readonly refused: (entries: readonly Entry[]) => void
  /** These have left the queue for good. */
  readonly settled: (entries: readonly Entry[]) => void
}

/** How often what happened, since the start. */
export interface SenderStats {
  readonly counts: Record<keyof Counts, number>
  /** Events of deliveries that were refused as a whole. */
  refused: number
  retries: number
}

/** Sends what waits, one request at a time, in order. Each is repeated until there is an answer that is final. */
export class Sender {
  /** What was taken, and what another process has left: that goes first. */
  readonly own = new Pending()
  readonly adopted = new Pending()
  readonly stats: SenderStats = {
    counts: { accepted: 0, duplicates: 0, conflicts: 0, held: 0, rejected: 0 },
    refused: 0,
    retries: 0,
  }
  readonly #options: SenderOptions
  readonly #stop = new AbortController()
  #isSending = false
  #clearTimer: (() => void) | undefined
  /** Somebody waits: nothing waits for company. */
  #hurrying = 0
  #watchers: { readonly isMet: () => boolean; readonly met: () => void }[] = []

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Something was added: send it, or see to it that it is sent soon. */
  wake(): void {
    if (this.#isSending || this.#stop.signal.aborted) return
    if (this.#isDue()) {
      this.#clearTimer?.()
      this.#clearTimer = undefined
      void this.#sendAll()
    } else if (this.own.size > 0 && this.#clearTimer === undefined) {
      this.#clearTimer = quietTimer(() => {
        this.#clearTimer = undefined
        void this.#sendAll()
      }, this.#options.batchMs)
    }
  }

  /** Resolves when all that waits now is settled. */
  async drain(pending: Pending): Promise<void> {
    const until = pending.added
    if (pending.removed >= until) return
    this.#hurrying++
    this.wake()
    await new Promise<void>((met) => this.#watchers.push({ isMet: () => pending.removed >= until, met }))
    this.#hurrying--
  }

  /** Ends the request under way. What is not settled stays in the queues. */
  stop(): void {
    this.#clearTimer?.()
    this.#stop.abort()
  }

  #isDue(): boolean {
    const { own, adopted } = this
    const { batchEvents, batchBytes } = this.#options
    if (adopted.size > 0) return true
    return own.size > 0 && (this.#hurrying > 0 || own.size >= batchEvents || own.bytes >= batchBytes)
  }

  /** All that waits at the moment, and then what is due. */
  async #sendAll(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    const until = this.own.added
    while ((this.own.removed < until || this.#isDue()) && !this.#stop.signal.aborted) {
      const pending = this.adopted.size > 0 ? this.adopted : this.own
      await this.#deliver(pending, pending.first(this.#options.batchEvents, this.#options.batchBytes))
    }
    this.#isSending = false
    this.wake()
  }

  /** The first ones of a queue. It returns when they are settled, or the sender is stopped. */
  async #deliver(pending: Pending, batch: readonly Entry[]): Promise<void> {
    const { signal } = this.#stop
    const lines = batch.map(({ text }) => text)
    for (let failures = 1; ; failures++) {
      const attempt = await postBatch(this.#options, lines, signal)
      if (attempt.kind === 'stored') {
        this.#note(batch, attempt.counts, attempt.problems)
        return this.#settle(pending, batch)
      }
      if (signal.aborted) return
      if (attempt.kind === 'refused') return this.#refuse(pending, batch, attempt.why)
      const ms = Math.ceil(pauseMs(failures, Math.random(), attempt.askedMs))
      this.stats.retries++
      const detail = `${attempt.why.detail} ${batch.length} events are sent again in ${ms} ms.`
      this.#tell({ kind: 'retrying', ...attempt.why, detail, events: [] })
      await pause(ms, signal)
      if (signal.aborted) return
    }
  }

  async #refuse(pending: Pending, batch: readonly Entry[], why: Why): Promise<void> {
    if (why.status === 413 && batch.length > 1) {
      const half = Math.ceil(batch.length / 2)
      await this.#deliver(pending, batch.slice(0, half))
      if (!this.#stop.signal.aborted) await this.#deliver(pending, batch.slice(half))
      return
    }
    this.stats.refused += batch.length
    this.#options.refused(batch)
    const detail = `${why.detail} ${batch.length} events are not stored, and not sent again.`
    this.#tell({ kind: 'refused', ...why, detail, events: batch.map(({ event }) => event) })
    this.#settle(pending, batch)
  }

  #note(batch: readonly Entry[], counts: Counts, problems: readonly EventProblem[]): void {
    for (const name of ['accepted', 'duplicates', 'conflicts', 'held', 'rejected'] as const) {
      this.stats.counts[name] += counts[name]
    }
    for (const { index, outcome, code, detail } of problems) {
      const entry = batch[index]
      const kind = KINDS[outcome] ?? 'remark'
      const said = { code: code ?? 'sdk/no_code', detail: detail ?? `The event is ${outcome}.` }
      this.#tell({ kind, ...said, events: entry ? [entry.event] : [] })
    }
  }

  #settle(pending: Pending, batch: readonly Entry[]): void {
    pending.remove(batch.length)
    this.#options.settled(batch)
    const met = this.#watchers.filter(({ isMet }) => isMet())
    this.#watchers = this.#watchers.filter((watcher) => !met.includes(watcher))
    for (const watcher of met) watcher.met()
  }

  #tell(problem: MeterProblem): void {
    this.#options.tell(problem)
  }
}

const KINDS: Readonly<Record<string, MeterProblem['kind']>> = {
  rejected: 'rejected',
  conflict: 'conflict',
  held: 'held',
}

/** Ends early when the sender is stopped. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clear()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const clear = quietTimer(end, ms)
    signal.addEventListener('abort', end)
  })
}
