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

const [ENDED, BEGUN] = [0, 1]
const LOOK_AGAIN_MS = 1

/**
 * Groups of events that are being stored, in all threads that share the memory. What a transaction stores cannot be found
 * in the database before its end.
 */
export class UnderWay {
  /** The turn of each place, and whether its group has ended. */
  readonly #places: Int32Array

  /** @param memory `UNDER_WAY_BYTES`, zeros at first */
  constructor(memory: SharedArrayBuffer) {
    this.#places = new Int32Array(memory)
  }

  /** @returns the name of a new group, which is a later group's too after some ten thousand others */
  begin(): number {
    for (let place = 0; place < PLACES; place++) {
      const before = Atomics.load(this.#places, place)
      if ((before & 1) === BEGUN) continue
      const turn = ((before >>> 1) + 1) & TURN_MASK
      const mine = (turn << 1) | BEGUN
      if (Atomics.compareExchange(this.#places, place, before, mine) === before) {
        return (turn << PLACE_BITS) | place
      }
    }
    invariant(false, 'there are more groups of events at once than transactions')
  }

  /** Once more is harmless. */
  end(name: number): void {
    const turn = turnOf(name)
    Atomics.compareExchange(this.#places, placeOf(name), (turn << 1) | BEGUN, (turn << 1) | ENDED)
  }

  has(name: number): boolean {
    return Atomics.load(this.#places, placeOf(name)) === ((turnOf(name) << 1) | BEGUN)
  }

  /** Wait for the end of groups, well or badly, and for no others: they may be large. Wait while you have none. */
  async waitFor(names: ReadonlySet<number>): Promise<void> {
    for (const name of names) {
      // Another thread wakes nobody here.
      while (this.has(name)) await sleep(LOOK_AGAIN_MS)
    }
  }
}

function placeOf(name: number): number {
  return name & (PLACES - 1)
}

function turnOf(name: number): number {
  return name >>> PLACE_BITS
}
