import { setTimeout as sleep } from 'node:timers/promises'
import { invariant } from '../../core/invariant.ts'

const PLACE_BITS = 5
/** Groups at once, of all threads: each thread has five transactions at most. */
const PLACES = 2 ** PLACE_BITS
const TURN_BITS = 14
const TURN_MASK = 2 ** TURN_BITS - 1
/** The name of a group is its place, and how many have had that place before it. */
export const GROUP_NAME_BITS = PLACE_BITS + TURN_BITS
export const UNDER_WAY_BYTES = 4 * PLACES

const STATE_BITS = 2
const STATE_MASK = 2 ** STATE_BITS - 1
const [FREE, READING, STORING] = [0, 1, 2]
const LOOK_AGAIN_MS = 1

/**
 * Groups of events that are read, or stored by a transaction, in all threads that share the memory. What a transaction
 * stores cannot be found in the database before its end. Nobody waits for a group that is only read: it may be waiting
 * itself.
 */
export class UnderWay {
  /** Turn and state of each place. */
  readonly #places: Int32Array

  /** @param memory `UNDER_WAY_BYTES`, zeros at first */
  constructor(memory: SharedArrayBuffer) {
    this.#places = new Int32Array(memory)
  }

  /** A group is read. @returns its name, which is a later group's too after some ten thousand others */
  begin(): number {
    for (let place = 0; place < PLACES; place++) {
      const before = Atomics.load(this.#places, place)
      if ((before & STATE_MASK) !== FREE) continue
      const turn = ((before >>> STATE_BITS) + 1) & TURN_MASK
      const mine = (turn << STATE_BITS) | READING
      if (Atomics.compareExchange(this.#places, place, before, mine) === before) return nameOf(place, turn)
    }
    invariant(false, 'there are more groups of events at once than transactions')
  }

  /** From here on it is waited for. */
  store(name: number): void {
    this.#become(name, STORING)
  }

  end(name: number): void {
    this.#become(name, FREE)
  }

  #become(name: number, state: number): void {
    Atomics.store(this.#places, placeOf(name), (turnOf(name) << STATE_BITS) | state)
  }

  isStoring(name: number): boolean {
    return Atomics.load(this.#places, placeOf(name)) === ((turnOf(name) << STATE_BITS) | STORING)
  }

  /** Wait for the end of groups, well or badly, and for no others: they may be large. */
  async waitFor(names: ReadonlySet<number>): Promise<void> {
    for (const name of names) {
      // Another thread wakes nobody here.
      while (this.isStoring(name)) await sleep(LOOK_AGAIN_MS)
    }
  }
}

function nameOf(place: number, turn: number): number {
  return (turn << PLACE_BITS) | place
}

function placeOf(name: number): number {
  return name & (PLACES - 1)
}

function turnOf(name: number): number {
  return name >>> PLACE_BITS
}
