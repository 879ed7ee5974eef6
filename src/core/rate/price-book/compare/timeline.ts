import type { Hour } from '../../../time/hour.ts'
import { samePrice } from './words.ts'
import { isMarked, type PriceTerm, type Rate } from '../price-book.ts'

/** From this hour on the rate has this term; none: it is not in force. */
export interface Step {
  readonly hour: Hour
  readonly term: PriceTerm | undefined
}

/** What some rates cost over a range of hours in which none of them changes. */
export interface Stretch {
  readonly from: Hour
  /** The first hour after it; undefined: it never ends. */
  readonly to: Hour | undefined
  /** For each rate, in order; undefined: it is not in force. Shared by all stretches: look, and do not keep. */
  readonly terms: readonly (PriceTerm | undefined)[]
}

/** The first hour that a price book can name. Before it nothing is in force. */
export const FIRST_HOUR = 0 as Hour

/**
 * Walk through all hours, from the first on, in stretches in which no rate changes: the boundaries are those of the
 * rules themselves, so that two books are compared by what they say of each hour and not by how they are written.
 * @param rates of one book or of several; an undefined one is never in force
 */
export function* stretchesOf(rates: readonly (Rate | undefined)[]): Generator<Stretch> {
  const steps = rates
    .flatMap((rate, at) => (rate ? stepsOf(rate).map((step) => ({ ...step, at })) : []))
    .sort((a, b) => a.hour - b.hour)
  const terms: (PriceTerm | undefined)[] = rates.map(() => undefined)
  let from = FIRST_HOUR
  for (const { hour, at, term } of steps) {
    if (hour > from) yield { from, to: hour, terms }
    from = hour
    terms[at] = term
  }
  yield { from, to: undefined, terms }
}

/** Where what a rate charges changes, in order: a term that says the same as the one before it is no change. */
export function stepsOf({ terms, until }: Rate): readonly Step[] {
  const changes = terms.filter((term, at) => at === 0 || !isSame(terms[at - 1]!, term))
  const steps: Step[] = changes.map((term) => ({ hour: term.from, term }))
  return until === undefined ? steps : [...steps, { hour: until, term: undefined }]
}

function isSame(a: PriceTerm, b: PriceTerm): boolean {
  return samePrice(a, b) && isMarked(a) === isMarked(b)
}
