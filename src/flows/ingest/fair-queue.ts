/** Something that waits: what it weighs, and who sent it. */
export interface Weighted {
  readonly sender: string
  readonly batch: { readonly length: number }
}

export interface FairQueueLimits {
  /** Events that may wait, of all senders. */
  readonly waitingMax: number
  /** Events of a group, unless one delivery alone has more. */
  readonly groupMax: number
}

/**
 * Deliveries that wait for their commit. Senders take turns, one delivery each, so a sender with many waits for its own
 * and not for those of others; each sender's deliveries keep their order. When too many events wait, the sender with the
 * most of them gives way.
 */
export class FairQueue<Item extends Weighted> {
  readonly #limits: FairQueueLimits
  /** By sender, in the order of their turns. None is empty. */
  readonly #lines = new Map<string, { items: Item[]; events: number }>()
  #events = 0

  constructor(limits: FairQueueLimits) {
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
   * @returns the deliveries that give way for it, which are taken out: the newest ones of those who have the most
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
    const group: Item[] = []
    let events = 0
    while (this.#lines.size > 0) {
      const [sender, line] = this.#lines.entries().next().value!
      const next = line.items[0]!
      if (group.length > 0 && events + next.batch.length > this.#limits.groupMax) break
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
    const line = this.#lines.get(sender)!
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
