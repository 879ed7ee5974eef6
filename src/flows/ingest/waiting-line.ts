import { FairQueue, type FairQueueLimits, type Weighted } from './fair-queue.ts'

export interface LineLimits extends FairQueueLimits {
  /** Transactions at once: one waits for the disk while the other sends rows. */
  readonly lanes: number
  /** Events that wait before one more transaction is begun: fewer are better off sharing the next one. */
  readonly nextLaneEvents: number
}

/** Deliveries that wait, and the transactions that store them. */
export interface WaitingLine<Item> {
  /** @returns the deliveries that are not taken, or give way for this one */
  add(item: Item): readonly Item[]
  /** Everything is stored. */
  empty(): Promise<void>
}

/** @param store stores a group, and never rejects */
export function makeLine<Item extends Weighted>(
  { lanes: lanesMax, nextLaneEvents, ...limits }: LineLimits,
  store: (group: readonly Item[]) => Promise<void>,
): WaitingLine<Item> {
  const queue = new FairQueue<Item>(limits)
  const lanes = new Set<Promise<void>>()

  function startLanes(): void {
    if (queue.isEmpty) return
    if (lanes.size === 0 || (lanes.size < lanesMax && queue.events >= nextLaneEvents)) startLane()
  }

  function startLane(): void {
    const lane = drain().finally(() => {
      lanes.delete(lane)
      // A delivery may have come after the lane found the queue empty.
      startLanes()
    })
    lanes.add(lane)
  }

  async function drain(): Promise<void> {
    // Deliveries of the same tick share the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (!queue.isEmpty) await store(queue.takeGroup())
  }

  return {
    add(item) {
      const refused = queue.add(item)
      startLanes()
      return refused
    },
    async empty() {
      while (lanes.size > 0) await Promise.all(lanes)
    },
  }
}
