import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { RefusedEvent } from '../../store/refusals.ts'
import type { AccountRules } from '../accounts/account-rules.ts'
import { readingTurns } from '../thread-turns.ts'
import type { Candidate } from './commit-events.ts'
import type { Delivered } from './ingest-types.ts'
import {
  accountNamed,
  type DeliveryContext,
  isRefused,
  readDelivered,
  type ReadEvent,
} from './read-delivery.ts'
import type { SeenKeys } from './seen-keys.ts'
import type { UnderWay } from './under-way.ts'

/** A delivery that waits for its commit. */
export interface WaitingDelivery extends Omit<DeliveryContext, 'accounts'> {
  readonly batch: readonly Delivered[]
  reject(bug: unknown): void
}

/** The accounts that a group names, each as often as it does. */
export function* accountsOf(group: readonly WaitingDelivery[]): Generator<string> {
  for (const { batch } of group) {
    for (const delivered of batch) {
      const account = accountNamed(delivered)
      if (account !== undefined) yield account
    }
  }
}

type Read = ReadEvent | RefusedEvent

export interface Suspected {
  /** Events that may be stored already. */
  readonly suspects: ReadonlySet<Candidate>
  /** Those of them that may be being stored at this moment: they could not be found. */
  readonly awaited: ReadonlySet<Read>
  /** The groups that may be storing them. */
  readonly groups: ReadonlySet<number>
}

/** @param group the name of the group that they are read in */
export function suspectsOf(
  { seen, underWay }: { readonly seen: SeenKeys; readonly underWay: UnderWay },
  reads: readonly Read[],
  group: number,
): Suspected {
  const [suspects, awaited, groups] = [new Set<Candidate>(), new Set<Read>(), new Set<number>()]
  const note = (event: Candidate, read: Read) => {
    const before = seen.note(event, group)
    if (before === undefined) return
    suspects.add(event)
    if (before === group || !underWay.has(before)) return
    awaited.add(read)
    groups.add(before)
  }
  for (const read of reads) {
    if (isRefused(read)) continue
    note(read, read)
    if (read.ending) note(read.ending, read)
  }
  return { suspects, awaited, groups }
}

export interface ReadDelivery<Waiting> {
  readonly waiting: Waiting
  readonly reads: readonly ReturnType<typeof readDelivered>[]
}

/** So few events are no long work: a small group waits for no turn. */
const READ_AT_ONCE = 50

/**
 * Read a group under a price book. A delivery that a bug of ours cannot read fails alone: its neighbours are stored.
 */
export async function readGroup<Waiting extends WaitingDelivery>(
  book: PriceBook,
  accounts: AccountRules,
  group: readonly Waiting[],
): Promise<readonly ReadDelivery<Waiting>[]> {
  const read: ReadDelivery<Waiting>[] = []
  let count = 0
  for (const waiting of group) {
    try {
      const { receivedAt, boundAccount, writer } = waiting
      const context = { receivedAt, boundAccount, writer, accounts }
      const reads: ReturnType<typeof readDelivered>[] = []
      for (const one of waiting.batch) {
        const turn = ++count > READ_AT_ONCE && readingTurns.isOver()
        if (turn) await turn
        reads.push(readDelivered(book, one, context))
      }
      read.push({ waiting, reads })
    } catch (bug) {
      waiting.reject(bug)
    }
  }
  return read
}
