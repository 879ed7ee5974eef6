import type { Hour } from '../../../time/hour.ts'
import { changedCharges } from './charges.ts'
import { differentTypes } from './differences.ts'
import { movedTiers } from './moved-tiers.ts'
import type { PastChange } from './past-change.ts'
import { changedStorage } from './storage.ts'
import { FIRST_HOUR } from './timeline.ts'
import { eventTypeWords, typeAsWritten } from './words.ts'
import type { PriceBook, Rate } from '../price-book.ts'
import { PROBLEMS_MAX } from '../parse/problem.ts'

/**
 * What a new version of the price book would change for hours that have begun. Nothing may (R13): for each of them,
 * every event that the old version accepts is charged by the new one in exactly the same way, and stored data too. What
 * the old version holds (an unknown type, operation or price) may get anything.
 *
 * Compared by what both say of each hour, never by how they are written: terms may be split or merged, operations be
 * listed in another order.
 * How an event type is read has no date: it may change as long as no event of the type was accepted, so that a type of
 * which all events are held or rejected can be put right.
 * @param firstOpenHour the first hour that has not begun; all before it have
 * @param acceptedTypes event types of which an event was accepted
 * @param hasListTiers whether a price list has tiers for a rate: its usage counts through them
 * @returns nothing if the new version may be published; at most 100
 */
export function comparePriceBooks(
  old: PriceBook,
  next: PriceBook,
  firstOpenHour: Hour,
  acceptedTypes: ReadonlySet<string>,
  hasListTiers: (rate: Rate) => boolean = () => false,
): readonly PastChange[] {
  return [
    ...changedCurrency(old, next),
    ...changedEventTypes(old, next).filter(({ names }) => acceptedTypes.has(names[0]!)),
    ...changedCharges(old, next, firstOpenHour),
    ...changedStorage(old, next, firstOpenHour),
    ...movedTiers(old, next, firstOpenHour, hasListTiers),
  ].slice(0, PROBLEMS_MAX)
}

/** What differs without a time differs from the first hour on. */
const WHOLE_BOOK = { component: null, item: null, rate: null, hour: FIRST_HOUR } as const

function changedCurrency(old: PriceBook, next: PriceBook): readonly PastChange[] {
  if (old.currency === next.currency) return []
  const [was, becomes] = [old.currency, next.currency]
  const change = { path: ['currency'], code: 'price_book/changed_currency', names: [] } as const
  const message = `The currency is ${was}, and would be ${becomes}.`
  const fix = `write currency: ${was}; another currency needs a database of its own`
  return [{ ...WHOLE_BOOK, ...change, was, becomes, message, fix }]
}

function changedEventTypes(old: PriceBook, next: PriceBook): readonly PastChange[] {
  return differentTypes(old, next).flatMap(({ type, old: before, next: after }): PastChange[] => {
    if (!before) return []
    const [was, becomes] = [eventTypeWords(before), eventTypeWords(after)]
    const message = `The event type ${type} is ${was}, and would be ${becomes}.`
    const fix = `write ${type}: ${typeAsWritten(before)} as before, and other data under a type of another name`
    const path = ['eventTypes', type]
    const code = 'price_book/changed_event_type'
    return [{ ...WHOLE_BOOK, path, code, names: [type], was, becomes, message, fix }]
  })
}
