import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Rejection } from '../../core/ingest/rejection.ts'
import type { Delivered, EventResult, Submitted } from './ingest-types.ts'
import type { Judged } from './remark-results.ts'
import {
  accountNamed,
  type Candidate,
  type DeliveryContext,
  type Parsed,
  parseDelivered,
  refuseCandidate,
} from './parse.ts'

/** A delivery that waits for its commit. */
export interface Waiting extends Omit<DeliveryContext, 'accounts' | 'backfillReachMs'> {
  readonly batch: readonly Delivered[]
  /** Whose turn it uses. */
  readonly sender: string
  readonly resolve: (submitted: Submitted) => void
  /** For a bug of ours. */
  readonly reject: (bug: unknown) => void
}

/** One element of a delivery, and its result as soon as it is durable. */
export interface Entry {
  readonly delivered: Delivered
  /** As it was parsed last. */
  parsed?: Parsed
  result?: EventResult
}

/** The elements of a delivery that are durable, with their results, in order. */
export function judgedOf(entries: readonly Entry[]): Judged<EventResult> & { readonly isWhole: boolean } {
  const durable = entries.filter(({ result }) => result !== undefined)
  const reads = durable.map(({ parsed }) => parsed!)
  const results = durable.map(({ result }) => result!)
  return { reads, results, isWhole: durable.length === entries.length }
}

/** The elements of a group by delivery, in their order. */
export function makeEntries(group: readonly Waiting[]): Map<Waiting, readonly Entry[]> {
  return new Map(group.map((waiting) => [waiting, waiting.batch.map((delivered) => ({ delivered }))]))
}

/** The accounts that elements without a result name, each as often as they do. */
export function* accountsOf(entries: ReadonlyMap<Waiting, readonly Entry[]>): Generator<string> {
  for (const own of entries.values()) {
    for (const { delivered, result } of own) {
      const account = result ? undefined : accountNamed(delivered)
      if (account !== undefined) yield account
    }
  }
}

/**
 * Parse the elements that have no result yet. A delivery that a bug of ours cannot parse fails alone: it is taken out, and
 * its neighbours are stored.
 */
export function parseEntries(
  book: PriceBook,
  rules: Pick<DeliveryContext, 'accounts' | 'backfillReachMs'>,
  entries: Map<Waiting, readonly Entry[]>,
): Map<Parsed, Entry> {
  const parsed = new Map<Parsed, Entry>()
  for (const [waiting, own] of entries) {
    const { receivedAt, boundAccount, writer } = waiting
    const context = { receivedAt, boundAccount, writer, ...rules }
    try {
      const open = own.filter(({ result }) => result === undefined)
      const events = open.map((entry) => [parseDelivered(book, entry.delivered, context), entry] as const)
      for (const [event, entry] of events) {
        entry.parsed = event
        parsed.set(event, entry)
      }
    } catch (bug) {
      entries.delete(waiting)
      waiting.reject(bug)
    }
  }
  return parsed
}

/** Refuse some of the candidates after all. */
export function refuseParsed(
  parsed: Map<Parsed, Entry>,
  rejections: ReadonlyMap<Candidate, Rejection>,
): void {
  for (const [event, rejection] of rejections) {
    const entry = parsed.get(event)!
    const refusal = refuseCandidate(entry.delivered, event, rejection)
    parsed.delete(event)
    entry.parsed = refusal
    parsed.set(refusal, entry)
  }
}
