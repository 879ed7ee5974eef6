/** Longer words are not compared: the work grows with the product of the lengths. */
const LENGTH_MAX = 40

/**
 * The candidate that was probably meant, or undefined when none is near: at most a third of its letters
 * (and at least one) may be wrong, missing, added or swapped with a neighbour. Case does not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LENGTH_MAX) return undefined
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.floor(candidate.length / 3))
    const away = distance(word.toLowerCase(), candidate.toLowerCase())
    if (away > allowed || away >= bestDistance) continue
    best = candidate
    bestDistance = away
  }
  return best
}

/** Damerau-Levenshtein distance (optimal string alignment), by three rows of the usual table. */
function distance(a: string, b: string): number {
  let twoUp: number[] = []
  let up = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let least = Math.min(up[column]! + 1, current[column - 1]! + 1, up[column - 1]! + cost)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) least = Math.min(least, twoUp[column - 2]! + 1)
      current.push(least)
    }
    twoUp = up
    up = current
  }
  return up[b.length]!
}
