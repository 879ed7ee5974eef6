import type { Candidate } from './commit-events.ts'
import { isRefused } from './read-delivery.ts'
import type { ReadDelivery } from './read-group.ts'

type Read = ReadDelivery<unknown>['reads'][number]

/** Transactions under way, each with what it stores: that cannot be found in the database yet. */
export class UnderWay {
  readonly #reads = new Map<Promise<unknown>, readonly Read[]>()

  /** The result of some work that stores events. */
  async note<Result>(reads: readonly Read[], work: Promise<Result>): Promise<Result> {
    const settled = work.catch(() => undefined)
    this.#reads.set(settled, reads)
    try {
      return await work
    } finally {
      this.#reads.delete(settled)
    }
  }

  /** Wait for those that may be storing one of these events, and for no others: they may be large. Never rejects. */
  async waitFor(suspects: ReadonlySet<Candidate>): Promise<void> {
    if (suspects.size === 0) return
    const checksums = new Set([...suspects].map(({ checksum }) => checksum))
    const isOneOf = (read: Read) => !isRefused(read) && checksums.has(read.checksum)
    await Promise.all([...this.#reads].flatMap(([settled, reads]) => (reads.some(isOneOf) ? [settled] : [])))
  }
}
