import { invariant } from '../../core/invariant.ts'

// The way of a delivery through the queue:
//
//   added ──▶ waiting ──▶ taken into a group ──▶ committed        (its sender is answered)
//     │          │
//     └──────────┴──▶ gives way                                   (its sender is told to send it again)
//
// A group is what one transaction stores. A lane is a loop that takes one group after the other; as many transactions
// run at once as there are lanes.

/** A delivery: what it weighs, and who sent it. */
export interface Weighted {
  readonly sender: string
  readonly batch: { readonly length: number }
}

export interface QueueLimits {
  /** Events that may wait, of all senders. */
  readonly waitingMax: number
  /** Events of a group, unless one delivery alone has more. */
  readonly groupMax: number
  /** Do the deliveries of several senders share a group? If not, no sender waits for the repeats of another. */
  readonly sharesGroups: boolean
}

export interface LaneLimits extends QueueLimits {
  /** Transactions at once: one waits for the disk while the next one sends rows. */
  readonly lanes: number
  /** Events that wait before one more lane is opened: fewer are better off sharing the next group. */
  readonly nextLaneEvents: number
}

/** Deliveries that wait for their commit, and the lanes that commit them. */
export interface CommitQueue<Item> {
  /** @returns the deliveries that give way, to be refused: others of a sender with more, or this one */
  add(item: Item): readonly Item[]
  /** Resolves when everything that was added is committed. */
  empty(): Promise<void>
}

/** @param commit commits a group, and never rejects */
export function makeCommitQueue<Item extends Weighted>(
  { lanes: lanesMax, nextLaneEvents, ...limits }: LaneLimits,
  commit: (group: readonly Item[]) => Promise<void>,
): CommitQueue<Item> {
  const queue = new FairQueue<Item>(limits)
  const lanes = new Set<Promise<void>>()

  function openLanes(): void {
    if (queue.isEmpty) return
    if (lanes.size === 0 || (lanes.size < lanesMax && queue.events >= nextLaneEvents)) openLane()
  }

  function openLane(): void {
    const lane = drain().finally(() => {
      lanes.delete(lane)
      // A delivery may have come after the lane found the queue empty.
      openLanes()
    })
    lanes.add(lane)
  }

  async function drain(): Promise<void> {
    // Deliveries of the same tick share the first group.
    await new Promise((resolve) => setImmediate(resolve))
    while (!queue.isEmpty) await commit(queue.takeGroup())
  }

  return {
    add(item) {
      const givesWay = queue.add(item)
      openLanes()
      return givesWay
    },
    async empty() {
      while (lanes.size > 0) await Promise.all(lanes)
    },
  }
}

/**
 * Deliveries that wait. Senders take turns, one delivery each, so a sender with many waits for its own and not for those
 * of others; the deliveries of one sender keep their order. When too many events wait, the sender with the most of them
 * gives way.
 */
export class FairQueue<Item extends Weighted> {
  readonly #limits: QueueLimits
  /** By sender, in the order of their turns. None is empty. */
  readonly #lines = new Map<string, { items: Item[]; events: number }>()
  #events = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0
  }

  /** Events that wait. */
  get events(): number {
    return this.#events
  }

  /**
   * Let a delivery wait. A single one always fits into an empty queue, however large it is.
   * @returns the deliveries that give way for it, which are taken out: the newest ones of the sender with the most
   *   waiting; the delivery itself, when that is its own sender
   */
  add(item: Item): readonly Item[] {
    const refused: Item[] = []
    while (this.#events > 0 && this.#events + item.batch.length > this.#limits.waitingMax) {
      const [sender, largest] = this.#largest()
      const own = this.#lines.get(item.sender)?.events ?? 0
      if (sender === item.sender || own + item.batch.length > largest.events) {
        // They would give way in vain.
        for (const other of refused.toReversed()) this.#put(other)
        return [item]
      }
      refused.push(this.#takeNewest(sender))
    }
    this.#put(item)
    return refused
  }

  #put(item: Item): void {
    const line = this.#lines.get(item.sender)
    if (line) {
      line.items.push(item)
      line.events += item.batch.length
    } else {
      this.#lines.set(item.sender, { items: [item], events: item.batch.length })
    }
    this.#events += item.batch.length
  }

  /** The deliveries whose turn it is, of about one group: at least one, unless none waits. */
  takeGroup(): readonly Item[] {
    const { groupMax, sharesGroups } = this.#limits
    const group: Item[] = []
    let events = 0
    while (this.#lines.size > 0) {
      const [sender, line] = this.#lines.entries().next().value!
      const next = line.items[0]!
      const isFull = events + next.batch.length > groupMax
      if (group.length > 0 && (isFull || !(sharesGroups || sender === group[0]!.sender))) break
      line.items.shift()
      group.push(next)
      events += next.batch.length
      this.#weigh(line, next)
      // Its next turn comes after all others have had theirs.
      if (this.#lines.delete(sender) && line.items.length > 0) this.#lines.set(sender, line)
    }
    return group
  }

  #takeNewest(sender: string): Item {
    const line = this.#lines.get(sender)
    invariant(line !== undefined, 'a sender that has the most waiting has something waiting')
    const item = line.items.pop()!
    this.#weigh(line, item)
    if (line.items.length === 0) this.#lines.delete(sender)
    return item
  }

  #weigh(line: { events: number }, { batch }: Item): void {
    line.events -= batch.length
    this.#events -= batch.length
  }

  #largest(): [sender: string, line: { readonly events: number }] {
    return [...this.#lines].reduce((a, b) => (b[1].events > a[1].events ? b : a))
  }
}
