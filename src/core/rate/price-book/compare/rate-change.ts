import { formatHourStart, type Hour } from '../../../time/hour.ts'
import type { PastChange, PastChangeCode } from './past-change.ts'
import {
  asWritten,
  namesWords,
  NOT_IN_FORCE,
  placeOfRate,
  priceAsWritten,
  priceWords,
  rateKey,
  samePrice,
  statusWords,
  unitWords,
} from './words.ts'
import { type PriceBook, type PriceTerm, type Rate, termInForce } from '../price-book.ts'
import type { Path } from '../parse/problem.ts'

/** A difference in hours that have begun, before it is put into words. */
export interface RateChange {
  /** The same for everything that one correction would set right. */
  readonly key: string
  readonly code: PastChangeCode
  /** As one of the two books has it; undefined for operations that the new one does not know. */
  readonly rate: Rate | undefined
  /** Operations, in order. None for storage. */
  readonly names: readonly string[]
  readonly hour: Hour
  readonly was: string
  readonly becomes: string
  /** What is wrong. @param names the operations in words */
  message(names: string, change: RateChange): string
  /** What to write instead. @param open the first open hour, in quotes */
  fix(names: string, open: string, firstOpenHour: Hour): string
  /** Below the rate in the new book. */
  pathBelow(next: Rate, change: RateChange): Path
}

/** A rate of the old book with its counterpart in the new one. */
export interface RatePair {
  readonly rate: Rate
  readonly other: Rate
  readonly names: readonly string[]
  readonly hour: Hour
}

const MAPPING = 'price_book/changed_mapping'

/** The operations are known to the old book, and not to the new one. */
export function forgotten(names: readonly string[], hour: Hour): RateChange {
  return {
    key: 'forgotten',
    code: MAPPING,
    rate: undefined,
    names,
    hour,
    was: 'known',
    becomes: 'unknown',
    message: (words, { names: all }) =>
      `${words} ${all.length === 1 ? 'is' : 'are'} known, and would not be: usage would be held.`,
    fix: (words) => `list ${words} again, under operations or where it was`,
    pathBelow: () => [],
  }
}

/** The operations have no fee of the component in the old book. */
export function withFee(next: Rate, names: readonly string[], hour: Hour): RateChange {
  const place = placeOfRate(next)
  return {
    key: `fee\0${rateKey(next)}`,
    code: MAPPING,
    rate: next,
    names,
    hour,
    was: `no ${next.component} fee`,
    becomes: place,
    message: (words, { names: all }) =>
      `${words} ${all.length === 1 ? 'has' : 'have'} no ${next.component} fee, and would be listed under ${place}.`,
    fix: (words, open) =>
      `list ${words} under operations too, so that nothing changes before, and let ${place} begin with from: ${open} or later`,
    pathBelow: listedAt,
  }
}

/** Where none of their rates is in force, the operations have no fee in the old book, and would be held in the new one. */
export function heldBetween(names: readonly string[], hour: Hour): RateChange {
  return {
    key: 'held',
    code: MAPPING,
    rate: undefined,
    names,
    hour,
    was: 'without a fee',
    becomes: 'held',
    message: (words, { names: all, hour: first }) =>
      `${words} ${all.length === 1 ? 'has' : 'have'} no fee at ${formatHourStart(first)}, and usage would be held.`,
    fix: (words) =>
      `list ${words} under operations again: where no item is in force, that says that there is no fee`,
    pathBelow: () => [],
  }
}

function ending(open: string): string {
  return `to end it, give the rate until: ${open}`
}

/** The rate charges the operations, or stored data, and would not. */
export function lost(rate: Rate, names: readonly string[], hour: Hour): RateChange {
  const place = placeOfRate(rate)
  return {
    key: `lost\0${rateKey(rate)}`,
    code: MAPPING,
    rate,
    names,
    hour,
    was: place,
    becomes: 'not charged under it',
    message: (words, change) => {
      const at = formatHourStart(change.hour)
      return `${words} ${change.names.length > 1 ? 'are' : 'is'} charged under ${place} at ${at}, and would not be.`
    },
    fix: (words, open) =>
      names.length === 0
        ? `write ${place} again as before; ${ending(open)}`
        : `list ${words} under ${place} again; ${ending(open)}, and list what goes on under another item from then on`,
    pathBelow: (next) => (next.component === rate.component ? ['operations'] : []),
  }
}

/** The rate would charge the operations, or stored data, and does not. */
export function gained(next: Rate, names: readonly string[], hour: Hour): RateChange {
  const place = placeOfRate(next)
  return {
    key: `gained\0${rateKey(next)}`,
    code: MAPPING,
    rate: next,
    names,
    hour,
    was: 'not charged under it',
    becomes: place,
    message: (words, change) => {
      const at = formatHourStart(change.hour)
      return `${words} ${change.names.length > 1 ? 'are' : 'is'} not charged under ${place} at ${at}, and would be.`
    },
    fix: (words, open) =>
      names.length === 0
        ? `let ${place} begin with from: ${open} or later`
        : `charge ${words} under an item that begins with from: ${open} or later`,
    pathBelow: (rate, change) => (names.length === 0 ? ['prices', 0, 'from'] : listedAt(rate, change)),
  }
}

export function otherUnit({ rate, other, names, hour }: RatePair): RateChange {
  const [was, becomes] = [unitWords(rate), unitWords(other)]
  const place = placeOfRate(rate)
  return {
    key: `unit\0${rateKey(rate)}`,
    code: 'price_book/changed_unit',
    rate,
    names,
    hour,
    was,
    becomes,
    message: (_, change) =>
      `A price of ${place} at ${formatHourStart(change.hour)} is per ${was}, and would be per ${becomes}.`,
    fix: (_, open) => `write unit and per as before; ${elsewhere(open)}`,
    pathBelow: () => [rate.unit === other.unit ? 'per' : 'unit'],
  }
}

export function otherStatuses({ rate, other, names, hour }: RatePair): RateChange {
  const [was, becomes] = [statusWords(rate), statusWords(other)]
  return {
    key: `statuses\0${rateKey(rate)}`,
    code: 'price_book/changed_statuses',
    rate,
    names,
    hour,
    was,
    becomes,
    message: (_, change) =>
      `${placeOfRate(rate)} bills ${was} at ${formatHourStart(change.hour)}, and would bill ${becomes}.`,
    fix: (_, open) => `write billedStatuses: [${was}]; ${elsewhere(open)}`,
    pathBelow: () => ['billedStatuses'],
  }
}

/** What has no date of its own can change under another name only: an item lists an operation once. */
function elsewhere(open: string): string {
  return `for another from now on, end the rate with until: ${open} and begin an item of another name there`
}

export function otherPrice(
  { rate, other, names, hour }: RatePair,
  term: PriceTerm,
  otherTerm: PriceTerm | undefined,
): RateChange {
  const [was, becomes] = [priceWords(term), priceWords(otherTerm)]
  const [at, otherAt] = [rate.terms.indexOf(term), otherTerm ? other.terms.indexOf(otherTerm) : -1]
  const hasEnded = otherTerm === undefined && other.until !== undefined && hour >= other.until
  return {
    key: `price\0${rateKey(rate)}\0${at}\0${otherAt}`,
    code: 'price_book/changed_price',
    rate,
    names,
    hour,
    was,
    becomes,
    message: (_, change) => {
      const words = becomes === NOT_IN_FORCE ? 'it would not be in force' : `would be ${becomes}`
      return `The price of ${placeOfRate(rate)} at ${formatHourStart(change.hour)} is ${was}, and ${words}.`
    },
    fix: (_, open, firstOpenHour) => {
      const written = priceAsWritten(term)
      if (!lastsUntil(rate, at, firstOpenHour)) {
        return `write ${written} for these hours as before: they have begun, and keep it`
      }
      if (hasEnded) return `write until: ${open} or later`
      return `keep ${written} until ${open}, and add a term from there`
    },
    pathBelow: (next, change) => {
      const there = termInForce(next, change.hour)
      return hasEnded ? ['until'] : ['prices', there ? next.terms.indexOf(there) : 0]
    },
  }
}

/** Is a price, over all terms that repeat it, still in force in the last hour before `open`? */
function lastsUntil({ terms, until }: Rate, at: number, open: Hour): boolean {
  let last = at
  while (terms[last + 1] && samePrice(terms[last + 1], terms[at])) last++
  const end = terms[last + 1]?.from ?? until
  return end === undefined || end >= open
}

/** In the list of the rate's operations: the first of those that it concerns. */
function listedAt({ operations }: Rate, { names }: RateChange): Path {
  return ['operations', operations.indexOf(names[0] ?? '')]
}

/** A finding in words, with its place in the new book. */
export function toPastChange(change: RateChange, next: PriceBook, firstOpenHour: Hour): PastChange {
  const { code, rate, names, hour, was, becomes } = change
  const words = rate?.component === 'storage' ? 'Stored data' : namesWords(names)
  return {
    path: pathOf(change, next),
    code,
    component: rate?.component ?? null,
    item: rate?.item ?? null,
    rate: rate?.rate ?? null,
    names,
    hour,
    was,
    becomes,
    message: change.message(words, change),
    fix: change.fix(words, asWritten(firstOpenHour), firstOpenHour),
  }
}

function pathOf(change: RateChange, next: PriceBook): Path {
  const { rate } = change
  if (rate === undefined) return ['operations']
  const path = ['items', rate.item, 'rates', rate.rate]
  const there = next.rates.find((one) => one.item === rate.item && one.rate === rate.rate)
  if (there === undefined) return path
  return there.component === rate.component
    ? [...path, ...change.pathBelow(there, change)]
    : ['items', rate.item, 'component']
}
