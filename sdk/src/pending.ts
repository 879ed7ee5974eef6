import type { CloudEvent } from './facts.ts'
import { byteLength } from './fact-text.ts'

/** An event that waits for its delivery. */
export interface Entry {
  readonly event: CloudEvent
  /** As it is sent, and how many bytes that is. */
  readonly text: string
  readonly bytes: number
  /** Bytes of the spool that are needed until it is settled; 0: it is in memory only. */
  spooledBytes: number
}

export function entryOf(event: CloudEvent, spooledBytes: number): Entry {
  const text = JSON.stringify(event)
  return { event, text, bytes: byteLength(text), spooledBytes }
}

/** Entries in the order in which they came. Those in progress stay in it until they are settled. */
export class Pending {
  #entries: Entry[] = []
  #head = 0
  /** Entries that ever came, and that ever left. */
  added = 0
  removed = 0
  /** Bytes of those that are in it. */
  bytes = 0

  get size(): number {
    return this.#entries.length - this.#head
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.added++
    this.bytes += entry.bytes
  }

  /** The first ones, within both limits, and at least one. They stay. */
  first(eventsMax: number, bytesMax: number): readonly Entry[] {
    const batch: Entry[] = []
    let bytes = 0
    for (let at = this.#head; at < this.#entries.length && batch.length < eventsMax; at++) {
      const entry = this.#entries[at]!
      // One more for the end of the line.
      bytes += entry.bytes + 1
      if (bytes > bytesMax && batch.length > 0) break
      batch.push(entry)
    }
    return batch
  }

  remove(count: number): void {
    for (let at = this.#head; at < this.#head + count; at++) this.bytes -= this.#entries[at]!.bytes
    this.#head += count
    this.removed += count
    // Now and then, so that taking one costs no more when many wait.
    if (this.#head > 1000 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** The first one goes behind all others. */
  rotate(): void {
    const first = this.#entries[this.#head++]
    if (first) this.#entries.push(first)
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let at = this.#head; at < this.#entries.length; at++) yield this.#entries[at]!
  }
}
