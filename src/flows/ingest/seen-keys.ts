import type { Candidate } from './commit-events.ts'

/** Keys that are remembered, at most: 32 MiB. */
export const SEEN_KEYS_KEPT = 4_194_304
const SET_BITS = 19
/** Two numbers for each key, and a byte for each set. */
export const SEEN_KEYS_BYTES = 8 * SEEN_KEYS_KEPT + 2 ** SET_BITS
/** Keys of one set, which share the first bits of their checksums: the newest takes the place of the oldest. */
const SET_KEYS = SEEN_KEYS_KEPT / 2 ** SET_BITS

/**
 * A hint which events this process may have stored before: they are looked up before they are stored, others are not.
 * Only the primary key decides what is a repeat. A key that was forgotten, or stored by another process, costs an
 * attempt; one that is suspected wrongly costs a look-up. Of the newest million keys about one in ten thousand is
 * forgotten: with one place for each checksum it would be one in nine, and a group of a thousand events with some
 * repeats would nearly always hold one.
 */
export class SeenKeys {
  /** Checksum and instant of each key, by sets. */
  readonly #keys: Uint32Array
  /** Where in its set the next key goes. */
  readonly #oldest: Uint8Array

  /**
   * @param memory `SEEN_KEYS_BYTES` zeros; threads that share it share their hints. They do not wait for each other: a
   *   hint that two of them write at once may be lost, or be a wrong one
   */
  constructor(memory: ArrayBufferLike = new ArrayBuffer(SEEN_KEYS_BYTES)) {
    this.#keys = new Uint32Array(memory, 0, 2 * SEEN_KEYS_KEPT)
    this.#oldest = new Uint8Array(memory, 8 * SEEN_KEYS_KEPT)
  }

  /** Note an event. @returns may an event with this content and key have been noted before? */
  note({ checksum, at }: Pick<Candidate, 'checksum' | 'at'>): boolean {
    const set = checksum >>> (32 - SET_BITS)
    const [mark, instant] = [checksum >>> 0, at % 0x1_0000_0000]
    const first = 2 * SET_KEYS * set
    for (let place = first; place < first + 2 * SET_KEYS; place += 2) {
      if (this.#keys[place] === mark && this.#keys[place + 1] === instant) return true
    }
    const oldest = this.#oldest[set]!
    this.#keys[first + 2 * oldest] = mark
    this.#keys[first + 2 * oldest + 1] = instant
    this.#oldest[set] = (oldest + 1) % SET_KEYS
    return false
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
