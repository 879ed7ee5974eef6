import type { Identity } from './event.ts'

/**
 * A 32-bit fingerprint of an identity: equal identities have equal fingerprints, so comparing two sorted lists of them
 * finds every copy, and a few that are none (1 in 4 billion pairs), which are then looked up exactly. FNV-1a over the
 * UTF-16 units of account, source and id, with a step between them, finished by mixing so that every bit depends on
 * every unit. Stored, so it must give the same number for ever.
 */
export function fingerprintOf({ account, source, id }: Identity): number {
  let hash = 0x811c9dc5
  hash = add(hash, account)
  hash = add(Math.imul(hash, 0x01000193), source)
  hash = add(Math.imul(hash, 0x01000193), id)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function add(seed: number, text: string): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return hash
}

/** Beyond this ratio of lengths, looking each value up is faster than merging (measured). */
const MERGE_RATIO = 50

/** The values that two ascending lists have in common, each once. */
export function commonFingerprints(a: Uint32Array, b: Uint32Array): readonly number[] {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  return long.length > MERGE_RATIO * short.length ? lookUp(short, long) : merge(short, long)
}

function merge(a: Uint32Array, b: Uint32Array): readonly number[] {
  const common: number[] = []
  let at = 0
  for (let index = 0; index < a.length; index++) {
    const value = a[index]!
    while (at < b.length && b[at]! < value) at++
    if (at === b.length) break
    if (b[at] === value && common.at(-1) !== value) common.push(value)
  }
  return common
}

function lookUp(short: Uint32Array, long: Uint32Array): readonly number[] {
  const common: number[] = []
  for (let index = 0; index < short.length; index++) {
    const value = short[index]!
    if (has(long, value) && common.at(-1) !== value) common.push(value)
  }
  return common
}

function has(sorted: Uint32Array, value: number): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return sorted[low] === value
}
