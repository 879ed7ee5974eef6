import type { Hour } from '../../time/hour.ts'

/** A value that holds from an hour on, until the next one of its list begins. */
export interface Dated {
  readonly from: Hour
}

/** Hours in [from, to) in which two lists say different things; undefined: the list has no value there. */
export interface Difference<Value> {
  readonly from: Hour
  /** Null: for ever. */
  readonly to: Hour | null
  readonly before: Value | undefined
  readonly after: Value | undefined
}

/** The one walk over two lists of dated values, in order. Neither list changes within a difference. */
export function* differencesOf<Value extends Dated>(
  old: readonly Value[],
  next: readonly Value[],
  isSame: (a: Value, b: Value) => boolean,
): Generator<Difference<Value>> {
  const hours = [...new Set([...old, ...next].map(({ from }) => from))].sort((a, b) => a - b)
  for (const [at, from] of hours.entries()) {
    const [before, after] = [inForce(old, from), inForce(next, from)]
    const agree = before && after ? isSame(before, after) : before === after
    if (!agree) yield { from, to: hours[at + 1] ?? null, before, after }
  }
}

/** The value in force in an hour; undefined before the first one. */
export function inForce<Value extends Dated>(values: readonly Value[], hour: Hour): Value | undefined {
  return values.findLast(({ from }) => from <= hour)
}
