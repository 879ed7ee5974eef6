/** One measured thing: a number from each round, in the order of the rounds. */
export interface Figure {
  readonly name: string
  /** `events/s`, `s`, `ms`, `MiB`, `x` for ratios … */
  readonly unit: string
  readonly samples: readonly number[]
  /** What it should be, in words: `at least 0.4`. */
  readonly target?: string
}

/** The middle one; of an even number, the mean of the two in the middle. NaN of none. */
export function median(samples: readonly number[]): number {
  return (quantile(samples, 0.5) + quantile(samples, 0.5, Math.floor)) / 2
}

/**
 * The sample below which the share `q` of the others lies (nearest rank).
 * @param round which of two neighbours: Math.ceil the higher one
 */
export function quantile(samples: readonly number[], q: number, round = Math.ceil): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[round(q * (sorted.length - 1))] ?? NaN
}

/** Ratios of what was measured in the same round: a machine that gets slower slows both. */
export function ratios(above: readonly number[], below: readonly number[]): readonly number[] {
  if (above.length !== below.length) throw new RangeError('ratios are taken round by round')
  return above.map((value, round) => value / below[round]!)
}
