import type { PriceListChange } from '../rate/price-list/list-changes.ts'
import { formatHourStart, type Hour } from '../time/hour.ts'
import { readableTime, safeText } from './readable-text.ts'
import { type Column, textTable, type TextLine } from './text-table.ts'

/** A difference between two versions of a price list as the API has it. */
export type PriceListChangeView = Omit<PriceListChange, 'from' | 'to'> & {
  /** RFC 3339; half-open. */
  readonly from: string | null
  readonly to: string | null
}

export function priceListChangeView(change: PriceListChange): PriceListChangeView {
  return { ...change, from: timeOf(change.from), to: timeOf(change.to) }
}

function timeOf(hour: Hour | null): string | null {
  return hour === null ? null : formatHourStart(hour)
}

const COLUMNS: readonly Column[] = [
  { heading: 'What', align: 'left', gap: 2, wraps: true },
  { heading: 'From, UTC', align: 'left' },
  { heading: 'To, UTC', align: 'left' },
  { heading: 'Was', align: 'left', wraps: true },
  { heading: 'Becomes', align: 'left', wraps: true },
]

/** Changes of a price list, each with when and from what to what. */
export function priceListChangesTable(
  changes: readonly PriceListChangeView[],
  widthMax?: number,
): readonly TextLine[] {
  if (changes.length === 0) return [{ role: 'plain', text: 'Nothing differs.' }]
  return textTable(
    COLUMNS,
    changes.map((change) => ({ cells: cellsOf(change) })),
    widthMax,
  )
}

function cellsOf({ kind, item, rate, from, to, was, becomes, fromNextMonth }: PriceListChangeView) {
  const [what, none] = {
    discount_changed: ['discount', 'none'],
    minimum_changed: ['minimum', 'none'],
    price_changed: [rate === 'default' ? item! : `${item}/${rate}`, 'the public price, less the discount'],
  }[kind] as [string, string]
  return [
    what,
    from === null ? '' : `${readableTime(from)}${fromNextMonth ? ', from the next month' : ''}`,
    to === null ? '' : readableTime(to),
    safeText(was ?? none),
    safeText(becomes ?? none),
  ]
}
