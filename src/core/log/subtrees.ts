import { invariant } from '../invariant.ts'

/** Leaves in [from, to): what one hash of a proof stands for. */
export interface LeafRange {
  readonly from: number
  readonly to: number
}

/** A complete subtree: 2^level leaves, the one with this index among those of its level. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/**
 * The complete subtrees that a range is made of, from the left: each the largest that is left. The range is one that a
 * tree of RFC 6962 has as a node, so it begins where its largest subtree may.
 */
export function subtreesOf({ from, to }: LeafRange): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = from; at < to;) {
    const level = Math.floor(Math.log2(to - at))
    const size = 2 ** level
    invariant(at % size === 0, 'a node of the tree begins where its subtree may')
    subtrees.push({ level, index: at / size })
    at += size
  }
  return subtrees
}

/** The largest power of two below n, for n above 1: where RFC 6962 divides n leaves. */
function splitOf(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

/** What PATH(index, D[size]) consists of, from the leaf to the root. RFC 6962, 2.1.1; RFC 9162, 2.1.3.1. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  invariant(index >= 0 && index < size, 'the leaf is in the tree')
  const ranges: LeafRange[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      ranges.push({ from: middle, to })
      to = middle
    } else {
      ranges.push({ from, to: middle })
      from = middle
    }
  }
  return ranges.reverse()
}

/** What PROOF(first, D[size]) consists of. RFC 6962, 2.1.2; RFC 9162, 2.1.4.1. */
export function consistencyRanges(first: number, size: number): readonly LeafRange[] {
  invariant(first >= 0 && first <= size, 'the earlier tree is not the larger one')
  if (first === 0 || first === size) return []
  const ranges: LeafRange[] = []
  let [from, to] = [0, size]
  while (first !== to) {
    const middle = from + splitOf(to - from)
    if (first <= middle) {
      ranges.push({ from: middle, to })
      to = middle
    } else {
      ranges.push({ from, to: middle })
      from = middle
    }
  }
  // The earlier tree is a subtree from 0 on: its root is known to the one who checks.
  if (from > 0) ranges.push({ from, to })
  return ranges.reverse()
}
