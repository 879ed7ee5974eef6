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

/** The values of `wanted` that `sorted` has. Both ascending; merged, so it takes one step for each value. */
export function commonFingerprints(wanted: Uint32Array, sorted: Uint32Array): readonly number[] {
  const common: number[] = []
  let at = 0
  for (const value of wanted) {
    while (at < sorted.length && sorted[at]! < value) at++
    if (sorted[at] === value && common.at(-1) !== value) common.push(value)
  }
  return common
}
