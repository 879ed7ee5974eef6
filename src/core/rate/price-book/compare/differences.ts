import type { EventType } from '../../../ingest/usage.ts'
import { compareBytes } from '../../../text/well-formed.ts'
import type { PriceBook, PriceTerm, Rate } from '../price-book.ts'
import { type Stretch, stretchesOf } from './timeline.ts'
import { eventTypeWords, rateKey, samePrice } from './words.ts'

/**
 * The one walk over two price books: rates side by side, what each costs hour by hour, event types that are read
 * otherwise. What may not change, what changed, and what is filled are all decided on these.
 */

/** A rate as each of two books has it; undefined: that book has no such rate. One of them is there. */
export interface RateInBoth {
  readonly key: string
  readonly old: Rate | undefined
  readonly next: Rate | undefined
}

/** Each rate of two books once: those of the old one in its order, then those that the new one adds. */
export function pairRates(old: Iterable<Rate>, next: Iterable<Rate>): readonly RateInBoth[] {
  const [before, after] = [byKey(old), byKey(next)]
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  return keys.map((key) => ({ key, old: before.get(key), next: after.get(key) }))
}

function byKey(rates: Iterable<Rate>): ReadonlyMap<string, Rate> {
  return new Map([...rates].map((rate) => [rateKey(rate), rate]))
}

/** Hours in which neither book changes a rate, with what it costs in both; undefined: not in force. */
export interface RateStretch extends Pick<Stretch, 'from' | 'to'> {
  readonly was: PriceTerm | undefined
  readonly becomes: PriceTerm | undefined
}

/** All hours of a rate, from the first on. */
export function* rateStretches({ old, next }: RateInBoth): Generator<RateStretch> {
  for (const { from, to, terms } of stretchesOf([old, next])) {
    yield { from, to, was: terms[0], becomes: terms[1] }
  }
}

/** Does a rate cost the same in both books, at all hours? */
export function isPricedAlike(rate: RateInBoth): boolean {
  return [...rateStretches(rate)].every(({ was, becomes }) => samePrice(was, becomes))
}

/** An event type that two books read otherwise; undefined: that book does not declare it. */
export interface TypeInBoth {
  readonly type: string
  readonly old: EventType | undefined
  readonly next: EventType | undefined
}

/** In the order of the names. */
export function differentTypes(old: PriceBook, next: PriceBook): readonly TypeInBoth[] {
  const types = new Set([...old.eventTypes.keys(), ...next.eventTypes.keys()])
  return [...types]
    .toSorted(compareBytes)
    .map((type) => ({ type, old: old.eventTypes.get(type), next: next.eventTypes.get(type) }))
    .filter(({ old: was, next: becomes }) => eventTypeWords(was) !== eventTypeWords(becomes))
}
