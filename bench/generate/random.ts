import { requireInteger } from './bounds.ts'

/**
 * Numbers that depend on the seed alone.
 *
 * The generator of events uses only these and + - * / (no Math.pow, exp or log, whose last digit may differ
 * between versions of Node), so that one seed makes the same bytes on every machine.
 */
export interface Random {
  /** An integer in [0, 2^32). */
  uint32(): number
  /** In [0, 1), in steps of 2^-32. */
  unit(): number
  /** An integer in [0, limit). */
  below(limit: number): number
  /** True in `share` of the cases: 0.03 is 3 %. */
  chance(share: number): boolean
}

/** Seeds are integers in [0, SEED_LIMIT). */
export const SEED_LIMIT = 2 ** 32

/** xoshiro128** (Blackman and Vigna, public domain), its state filled by splitmix32. */
export function seededRandom(seed: number): Random {
  requireInteger('seed', seed, 0, SEED_LIMIT - 1)
  // In a typed array, because 32-bit values in plain variables would be boxed on every step.
  const state = Uint32Array.from(splitmix32(seed))

  const uint32 = () => {
    const s1 = state[1]!
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0
    const t2 = state[2]! ^ state[0]!
    const t3 = state[3]! ^ s1
    state[0] = state[0]! ^ t3
    state[1] = s1 ^ t2
    state[2] = t2 ^ (s1 << 9)
    state[3] = rotateLeft(t3, 11)
    return result
  }
  const unit = () => uint32() / SEED_LIMIT
  return {
    uint32,
    unit,
    below: (limit) => Math.floor(unit() * limit),
    chance: (share) => unit() < share,
  }
}

function splitmix32(seed: number): number[] {
  let state = seed
  return Array.from({ length: 4 }, () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  })
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** An element of a list that must not be empty: the first most often, the last of a long one rarely. */
export function skewed<T>(random: Random, list: readonly T[]): T {
  return list[skewedBelow(random, list.length)]!
}

/** An integer in [0, limit): the share below x is the square root of x / limit. */
export function skewedBelow(random: Random, limit: number): number {
  const unit = random.unit()
  return Math.floor(limit * unit * unit)
}

const HEX = Buffer.from('0123456789abcdef', 'latin1')
const UUID = Buffer.from('00000000-0000-4000-8000-000000000000', 'latin1')
const UUID_DIGITS = Array.from(UUID.keys()).filter((at) => UUID[at] !== 0x2d)

/** A version 4 UUID: 122 of its bits are random. Filled in place, twice as fast as from pieces of text. */
export function uuid(random: Random): string {
  let word = 0
  for (let index = 0; index < 32; index++) {
    if (index % 8 === 0) word = random.uint32()
    UUID[UUID_DIGITS[index]!] = HEX[word & 15]!
    word >>>= 4
  }
  UUID[14] = HEX[4]!
  UUID[19] = HEX[8 + (random.uint32() >>> 30)]!
  return UUID.toString('latin1')
}

/** The name of an asynchronous task: 48 random bits, so that some millions of tasks do not collide. */
export function taskName(random: Random): string {
  return `t-${(random.below(2 ** 24) * 2 ** 24 + random.below(2 ** 24)).toString(16).padStart(12, '0')}`
}
