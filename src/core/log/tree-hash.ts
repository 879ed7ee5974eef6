/** SHA-256 of bytes. Passed in: the core has no packages. */
export type HashBytes = (bytes: Uint8Array) => Uint8Array

/** Bytes of a hash. */
export const HASH_BYTES = 32

const LEAF = 0x00
const NODE = 0x01

/** The hash of a leaf: SHA-256(0x00, entry). RFC 6962, 2.1; RFC 9162, 2.1.1. */
export function leafHash(entry: Uint8Array, hash: HashBytes): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length)
  bytes[0] = LEAF
  bytes.set(entry, 1)
  return hash(bytes)
}

/** The hash of a node over its two subtrees: SHA-256(0x01, left, right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, hash: HashBytes): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES)
  bytes[0] = NODE
  bytes.set(left, 1)
  bytes.set(right, 1 + HASH_BYTES)
  return hash(bytes)
}

/** The root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(hash: HashBytes): Uint8Array {
  return hash(new Uint8Array(0))
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
