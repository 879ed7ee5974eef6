import type { Candidate } from './commit-events.ts'
import { GROUP_NAME_BITS } from './under-way.ts'

/** Keys that are remembered, at most: 32 MiB. */
export const SEEN_KEYS_KEPT = 4_194_304
const SET_BITS = 19
/** Two numbers for each key, and a byte for each set. */
export const SEEN_KEYS_BYTES = 8 * SEEN_KEYS_KEPT + 2 ** SET_BITS
/** Keys of one set, which share the first bits of their checksums: the newest takes the place of the oldest. */
const SET_KEYS = SEEN_KEYS_KEPT / 2 ** SET_BITS
const GROUP_MASK = 2 ** GROUP_NAME_BITS - 1

/**
 * A hint which events this process may have stored before, and in which group: they are looked up before they are stored,
 * others are not. Only the primary key decides what is a repeat. A key that was forgotten, or stored by another process,
 * costs an attempt; one that is suspected wrongly costs a look-up. Of the newest million keys about one in ten thousand is
 * forgotten: with one place for each checksum it would be one in nine, and a group of a thousand events with some
 * repeats would nearly always hold one.
 *
 * The threads of a process share it, and do not wait for each other: a hint that two of them write at once may be lost, or
 * be a wrong one.
 */
export class SeenKeys {
  /** By sets, two numbers for each key: the bits of its checksum that its set does not tell, and its group; its instant. */
  readonly #keys: Uint32Array
  /** Where in its set the next key goes. */
  readonly #oldest: Uint8Array

  /** @param memory `SEEN_KEYS_BYTES`, zeros at first */
  constructor(memory: SharedArrayBuffer) {
    this.#keys = new Uint32Array(memory, 0, 2 * SEEN_KEYS_KEPT)
    this.#oldest = new Uint8Array(memory, 8 * SEEN_KEYS_KEPT)
  }

  /**
   * Note that a group has an event.
   * @returns the last group that noted an event with this content and key; undefined: probably none
   */
  note({ checksum, at }: Pick<Candidate, 'checksum' | 'at'>, group: number): number | undefined {
    const set = checksum >>> (32 - SET_BITS)
    const mark = ((checksum << GROUP_NAME_BITS) | group) >>> 0
    const instant = at % 0x1_0000_0000
    const first = 2 * SET_KEYS * set
    for (let place = first; place < first + 2 * SET_KEYS; place += 2) {
      const noted = this.#keys[place]!
      if ((noted ^ mark) >>> GROUP_NAME_BITS !== 0 || this.#keys[place + 1] !== instant) continue
      this.#keys[place] = mark
      return noted & GROUP_MASK
    }
    const oldest = this.#oldest[set]!
    this.#keys[first + 2 * oldest] = mark
    this.#keys[first + 2 * oldest + 1] = instant
    this.#oldest[set] = (oldest + 1) % SET_KEYS
    return undefined
  }
}

/** So many groups are looked up whole after one held a repeat that nothing had hinted at. */
export const WARY_GROUPS = 16

/** Are the hints to be believed? Not for a while after they missed one: an import is repeated, or another process had it. */
export class Wariness {
  #groups = 0

  /** Look up every key of the next group? */
  get isWary(): boolean {
    return this.#groups > 0
  }

  /** A group is stored. @param missed did it hold repeats that were not hinted at? */
  learn(missed: boolean): void {
    this.#groups = missed ? WARY_GROUPS : Math.max(0, this.#groups - 1)
  }
}
