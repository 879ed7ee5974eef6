import type { Component } from '../ingest/usage.ts'
import type { ChangeKind, PriceBookChange } from '../rate/price-book/compare/changes.ts'
import { namesWords, NOT_IN_FORCE } from '../rate/price-book/compare/words.ts'
import { formatHourStart } from '../time/hour.ts'
import { headingOf, type SoldComponents } from './bill-components.ts'
import { readableTime, safeText } from './readable-text.ts'
import { type Column, type Row, textTable, type TextLine } from './text-table.ts'

/** A difference between two versions of the price book as the API has it. */
export interface PriceBookChangeView {
  readonly kind: ChangeKind
  readonly component: Component | null
  readonly item: string | null
  readonly rate: string | null
  readonly names: readonly string[]
  /** RFC 3339; half-open. */
  readonly from: string | null
  readonly to: string | null
  readonly was: string | null
  readonly becomes: string | null
  readonly fromNextMonth: boolean
}

export function priceBookChangeView(change: PriceBookChange): PriceBookChangeView {
  const { from, to } = change
  return {
    ...change,
    from: from === null ? null : formatHourStart(from),
    to: to === null ? null : formatHourStart(to),
  }
}

const COLUMNS: readonly Column[] = [
  { heading: 'What', align: 'left', gap: 2, wraps: true },
  { heading: 'From, UTC', align: 'left' },
  { heading: 'To, UTC', align: 'left' },
  { heading: 'Was', align: 'left', wraps: true },
  { heading: 'Becomes', align: 'left', wraps: true },
]

/** What is said of a change, after the name of its rate if it has one. */
const WORDS: Record<ChangeKind, (names: string) => string> = {
  book_renamed: () => 'name of the book',
  currency_changed: () => 'currency',
  heading_changed: () => 'heading',
  event_type_added: (names) => `event type ${names}`,
  event_type_changed: (names) => `event type ${names}`,
  event_type_removed: (names) => `event type ${names}`,
  operations_known: (names) => `known from now on: ${names}`,
  operations_unknown: (names) => `no longer known: ${names}`,
  operations_free: (names) => `without a fee where no item is in force: ${names}`,
  operations_not_free: (names) => `held where no item is in force: ${names}`,
  rate_added: (names) => (names === '' ? 'added' : `added, for ${names}`),
  rate_removed: () => 'removed',
  operations_listed: (names) => `charges ${names}`,
  operations_unlisted: (names) => `no longer charges ${names}`,
  unit_changed: () => 'unit',
  statuses_changed: () => 'billed answers',
  price_changed: () => '',
  price_filled: () => 'filled in',
}

/**
 * Changes by the part of the bill that they are about, each with when and from what to what.
 * @param sold by the newer version: it names the parts
 */
export function priceBookChangesTable(
  changes: readonly PriceBookChangeView[],
  widthMax?: number,
  sold?: SoldComponents,
): readonly TextLine[] {
  if (changes.length === 0) return [{ role: 'plain', text: 'Nothing differs.' }]
  const rows = changes.flatMap((change, index): Row[] => {
    const isFirst = index === 0 || changes[index - 1]!.component !== change.component
    return [...(isFirst ? titleRows(change, index, sold) : []), { cells: cellsOf(change) }]
  })
  return textTable(COLUMNS, rows, widthMax)
}

function titleRows(
  { component }: PriceBookChangeView,
  index: number,
  sold: SoldComponents | undefined,
): readonly Row[] {
  const title: Row = { role: 'title', text: component === null ? 'The book' : headingOf(component, sold) }
  return index === 0 ? [title] : [{ role: 'plain', text: '' }, title]
}

function cellsOf(change: PriceBookChangeView) {
  const { kind, item, rate, names, from, to, was, becomes, fromNextMonth } = change
  const place = item === null ? '' : rate === 'default' || rate === null ? item : `${item}/${rate}`
  const words = WORDS[kind](namesWords(names.map(safeText)))
  const isPrice = kind === 'price_changed' || kind === 'price_filled'
  const none = isPrice ? NOT_IN_FORCE : ''
  return [
    [place, words].filter(Boolean).join(': '),
    from === null ? '' : `${readableTime(from)}${fromNextMonth ? ', from the next month' : ''}`,
    to === null ? '' : readableTime(to),
    safeText(was ?? none),
    safeText(becomes ?? none),
  ]
}
