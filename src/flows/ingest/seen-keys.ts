import type { Candidate } from './commit-events.ts'

/** Keys that are remembered, at most: 32 MiB. The newest go in the places of older ones. */
export const SEEN_KEYS_KEPT = 4_194_304
const PLACE_BITS = 22

/**
 * A hint which events this process may have stored before: they are looked up before they are stored, others are not.
 * Only the primary key decides what is a repeat. A key that was forgotten, or stored by another process, costs an
 * attempt; one that is suspected wrongly costs a look-up.
 */
export class SeenKeys {
  readonly #marks = new Uint32Array(SEEN_KEYS_KEPT)
  readonly #instants = new Uint32Array(SEEN_KEYS_KEPT)

  /** Note an event. @returns may an event with this content and key have been noted before? */
  note({ checksum, at }: Pick<Candidate, 'checksum' | 'at'>): boolean {
    const place = checksum >>> (32 - PLACE_BITS)
    const [mark, instant] = [checksum >>> 0, at % 0x1_0000_0000]
    if (this.#marks[place] === mark && this.#instants[place] === instant) return true
    this.#marks[place] = mark
    this.#instants[place] = instant
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
