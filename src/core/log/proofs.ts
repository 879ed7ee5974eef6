import { consistencyRanges, inclusionRanges } from './subtrees.ts'
import { emptyRoot, type HashBytes, nodeHash, sameBytes } from './tree-hash.ts'
import { rangeHash, type TileOf } from './tiles.ts'

/** The hashes that prove a leaf to be in the tree of `size` leaves, from the leaf to the root. */
export function inclusionProof(
  index: number,
  size: number,
  tileOf: TileOf,
  hash: HashBytes,
): readonly Uint8Array[] {
  return inclusionRanges(index, size).map((range) => rangeHash(range, tileOf, hash))
}

/** The hashes that prove the tree of `first` leaves to be the beginning of the one of `size` leaves. */
export function consistencyProof(
  first: number,
  size: number,
  tileOf: TileOf,
  hash: HashBytes,
): readonly Uint8Array[] {
  return consistencyRanges(first, size).map((range) => rangeHash(range, tileOf, hash))
}

export interface Inclusion {
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
}

/** The root that an inclusion proof comes to (RFC 9162, 2.1.3.2); undefined: it is no proof of that form. */
export function rootOfInclusion(
  { leaf, index, size, path }: Inclusion,
  hash: HashBytes,
): Uint8Array | undefined {
  if (!(index >= 0 && index < size)) return undefined
  let [at, last] = [index, size - 1]
  let root = leaf
  for (const sibling of path) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root, hash)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else root = nodeHash(root, sibling, hash)
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 ? root : undefined
}

export interface Consistency {
  readonly first: { readonly size: number; readonly root: Uint8Array }
  readonly second: { readonly size: number; readonly root: Uint8Array }
  readonly path: readonly Uint8Array[]
}

/** Is the second tree the first one with leaves appended? RFC 9162, 2.1.4.2. */
export function isConsistent({ first, second, path }: Consistency, hash: HashBytes): boolean {
  if (first.size > second.size) return false
  if (first.size === second.size) return path.length === 0 && sameBytes(first.root, second.root)
  if (first.size === 0) return path.length === 0 && sameBytes(first.root, emptyRoot(hash))
  const isPower = Number.isInteger(Math.log2(first.size))
  const hashes = isPower ? [first.root, ...path] : [...path]
  const [begin, ...rest] = hashes
  if (begin === undefined) return false
  let [at, last] = [first.size - 1, second.size - 1]
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  let [older, newer] = [begin, begin]
  for (const sibling of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      older = nodeHash(sibling, older, hash)
      newer = nodeHash(sibling, newer, hash)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)]
    } else newer = nodeHash(newer, sibling, hash)
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 && sameBytes(older, first.root) && sameBytes(newer, second.root)
}
