import { groupBy } from '../../core/group-by.ts'
import { monthOf } from '../../core/time/calendar-month.ts'
import { type Hour, next } from '../../core/time/hour.ts'

/** Things of one calendar month, and the hours [from, to) that they are in. */
export interface OfMonth<Item> {
  readonly from: Hour
  readonly to: Hour
  readonly items: readonly Item[]
}

/** Things by the calendar month of their hour: a statement about one of these groups opens at most 31 partitions of events. */
export function byMonth<Item>(
  items: readonly Item[],
  hourOf: (item: Item) => Hour,
): readonly OfMonth<Item>[] {
  return [...groupBy(items, (item) => monthOf(hourOf(item))).values()].map((group) => {
    const first = group.reduce((low, item) => Math.min(low, hourOf(item)), Infinity) as Hour
    const last = group.reduce((high, item) => Math.max(high, hourOf(item)), -Infinity) as Hour
    return { from: first, to: next(last), items: group }
  })
}
