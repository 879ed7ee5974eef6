import type { Random } from './random.ts'

/**
 * A way to draw indexes in proportion to their weights: binary search in the running sums.
 * @param weights not negative, and at least one above 0
 */
export function weighted(weights: readonly number[]): (random: Random) => number {
  const sums = new Float64Array(weights.length)
  let total = 0
  for (const [index, weight] of weights.entries()) {
    total += weight
    sums[index] = total
  }
  if (!(total > 0)) throw new RangeError('all weights are 0')
  return (random) => firstAbove(sums, random.unit() * total)
}

/** The first index whose running sum is above `value`, which is below the last sum. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
