import type { PriceBook } from '../../core/rate/price-book.ts'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
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

/** Events that may be stored already. */
export interface Suspected {
  readonly suspects: ReadonlySet<Candidate>
  /** The other groups that may have stored them, or be storing them. */
  readonly groups: ReadonlySet<number>
}

/** @param group the name of the group that they are read in */
export function suspectsOf(
  { seen, underWay }: { readonly seen: SeenKeys; readonly underWay: UnderWay },
  reads: readonly (ReadEvent | RefusedEvent)[],
  group: number,
): Suspected {
  const suspects = new Set<Candidate>()
  const groups = new Set<number>()
  const isStoring = (name: number) => underWay.isStoring(name)
  const note = (event: Candidate) => {
    const before = seen.note(event, group, isStoring)
    if (before === undefined) return
    suspects.add(event)
    if (before !== group) groups.add(before)
  }
  for (const read of reads) {
    if (isRefused(read)) continue
    note(read)
    if (read.ending) note(read.ending)
  }
  return { suspects, groups }
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
