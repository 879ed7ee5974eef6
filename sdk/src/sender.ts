import { agree, countOf } from './count-of.ts'
import type { MeterProblem } from './problem.ts'
import { type Entry, Pending } from './pending.ts'
import { type Attempt, type Counts, type EventProblem, postBatch, type Target } from './post-batch.ts'
import { pauseMs, REFUSED_PAUSES } from './retry.ts'
import { quietTimer } from './runtime.ts'

export interface SenderOptions extends Target {
  readonly batchEvents: number
  readonly batchBytes: number
  readonly batchMs: number
  readonly tell: (problem: MeterProblem) => void
  /** The server has answered for each of these: they have left the queue for good. */
  readonly settled: (entries: readonly Entry[]) => void
}

/** How often what happened, since the start. */
export interface SenderStats {
  readonly counts: Record<keyof Counts, number>
  /** Deliveries that were refused for a reason that only a person can put right. */
  refused: number
  retries: number
}

/**
 * Sends what waits, one request at a time, in order. An event leaves only with the server's word on it; everything else
 * that is answered says something of the key, of the address or of what is in between, and is sent again.
 */
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
  readonly #onRefusal = new Set<() => void>()
  /** Deliveries that failed since the last one that did not. */
  #failures = 0
  /** Events of one request: fewer after one that was refused for what was in it, and twice as many after each success. */
  #eventsMax: number
  #endPause: (() => void) | undefined

  constructor(options: SenderOptions) {
    this.#options = options
    this.#eventsMax = options.batchEvents
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
    // Perhaps it was put right: the long pause after a refusal is for those who do not wait.
    this.#endPause?.()
    await new Promise<void>((met) => this.#watchers.push({ isMet: () => pending.removed >= until, met }))
    this.#hurrying--
  }

  /** At the next answer that only a person can put right. @returns what undoes it */
  onRefusal(work: () => void): () => void {
    this.#onRefusal.add(work)
    return () => this.#onRefusal.delete(work)
  }

  /** Ends the request in progress. What is not settled stays in the queues. */
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
      await this.#deliver(this.adopted.size > 0 ? this.adopted : this.own)
    }
    this.#isSending = false
    this.wake()
  }

  /** Sends the first ones of a queue once, and waits if that failed. */
  async #deliver(pending: Pending): Promise<void> {
    const { signal } = this.#stop
    const batch = pending.first(this.#eventsMax, this.#options.batchBytes)
    const lines = batch.map(({ text }) => text)
    const attempt = await postBatch(this.#options, lines, signal)
    if (attempt.kind === 'stored') {
      this.#failures = 0
      this.#eventsMax = Math.min(this.#eventsMax * 2, this.#options.batchEvents)
      this.#note(batch, attempt.counts, attempt.problems)
      return this.#settle(pending, batch)
    }
    if (signal.aborted) return
    this.stats.retries++
    if (attempt.mayPart && batch.length > 1) {
      this.#eventsMax = Math.ceil(batch.length / 2)
      return
    }
    // Others may get through where this one does not.
    if (attempt.mayPart) pending.rotate()
    await this.#pause(attempt, batch)
  }

  async #pause({ kind, why, askedMs }: Exclude<Attempt, { kind: 'stored' }>, batch: readonly Entry[]) {
    const isRefused = kind === 'refused'
    const limits = isRefused ? REFUSED_PAUSES : undefined
    const ms = Math.ceil(pauseMs(++this.#failures, Math.random(), askedMs, limits))
    const much = `${countOf(batch.length, 'event')} ${agree(batch.length, 'is', 'are')}`
    const detail = `${why.detail} ${much} kept, and sent again in ${ms} ms.`
    const events = isRefused ? batch.map(({ event }) => event) : []
    this.#options.tell({ kind: isRefused ? 'refused' : 'retrying', ...why, detail, events })
    const { promise, end } = pause(ms, this.#stop.signal)
    if (isRefused) {
      this.stats.refused++
      for (const work of this.#onRefusal) work()
      if (askedMs === 0) this.#endPause = end
    }
    await promise
    this.#endPause = undefined
  }

  #note(batch: readonly Entry[], counts: Counts, problems: readonly EventProblem[]): void {
    for (const name of ['accepted', 'duplicates', 'conflicts', 'held', 'rejected'] as const) {
      this.stats.counts[name] += counts[name]
    }
    for (const { index, outcome, code, detail } of problems) {
      const entry = batch[index]
      const kind = KINDS[outcome] ?? 'remark'
      const said = { code: code ?? 'sdk/no_code', detail: detail ?? `The event is ${outcome}.` }
      this.#options.tell({ kind, ...said, events: entry ? [entry.event] : [] })
    }
  }

  #settle(pending: Pending, batch: readonly Entry[]): void {
    pending.remove(batch.length)
    this.#options.settled(batch)
    const met = this.#watchers.filter(({ isMet }) => isMet())
    this.#watchers = this.#watchers.filter((watcher) => !met.includes(watcher))
    for (const watcher of met) watcher.met()
  }
}

const KINDS: Readonly<Record<string, MeterProblem['kind']>> = {
  rejected: 'rejected',
  conflict: 'conflict',
  held: 'held',
}

/** Ends early when the sender is stopped, or by `end`. */
function pause(
  ms: number,
  signal: AbortSignal,
): { readonly promise: Promise<void>; readonly end: () => void } {
  let endNow = () => {}
  const promise = new Promise<void>((resolve) => {
    endNow = () => {
      clear()
      signal.removeEventListener('abort', endNow)
      resolve()
    }
    const clear = quietTimer(endNow, ms)
    signal.addEventListener('abort', endNow)
  })
  return { promise, end: endNow }
}
