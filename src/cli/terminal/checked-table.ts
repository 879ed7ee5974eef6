import type { ChargeView } from '../../api/dry-run.ts'
import { decimal, type Decimal, plain, plus, ZERO } from '../../core/money/decimal.ts'
import { readableNumber, readablePer, readableTime, safeText } from '../../core/present/readable-text.ts'
import { type Row, type TextLine, textTable } from '../../core/present/text-table.ts'
import type { CheckedEvent } from '../import/check-lines.ts'

interface ItemTotal {
  readonly view: ChargeView
  readonly currency: string
  events: number
  quantity: Decimal
  waived: Decimal
  amount: Decimal
}

/** What the events of a file come to, by item, rate and price. Sums are exact; a bill's line prices its sum once. */
export class ItemTotals {
  readonly #totals = new Map<string, ItemTotal>()
  #free = 0

  add({ outcome, charges, currency }: CheckedEvent): void {
    if (outcome === 'accepted' && charges.length === 0) this.#free += 1
    for (const view of charges) {
      const key = JSON.stringify([view.component, view.item, view.rate, view.unitPrice, view.priceFrom])
      let total = this.#totals.get(key)
      if (total === undefined) {
        total = { view, currency, events: 0, quantity: ZERO, waived: ZERO, amount: ZERO }
        this.#totals.set(key, total)
      }
      total.events += 1
      total.quantity = plus(total.quantity, decimal(view.quantity ?? '0'))
      total.waived = plus(total.waived, decimal(view.waived ?? '0'))
      total.amount = plus(total.amount, decimal(view.amount ?? '0'))
    }
  }

  table(widthMax: number | undefined): readonly TextLine[] {
    const rows = [...this.#totals.values()].map(totalRow)
    const free =
      this.#free === 0 ? [] : [note(`${readableNumber(String(this.#free))} accepted without a fee.`)]
    if (rows.length === 0) return free.length > 0 ? free : [note('Nothing would be charged.')]
    return [...textTable(ITEM_COLUMNS, rows, widthMax), ...free]
  }
}

const ITEM_COLUMNS = [
  { heading: 'Component', align: 'left', drops: 3 },
  { heading: 'Item', align: 'left', shrinks: true },
  { heading: 'Rate', align: 'left', shrinks: true },
  { heading: 'Events', align: 'right' },
  { heading: 'Quantity', align: 'decimal' },
  { heading: 'Unit', align: 'left' },
  { heading: 'Waived', align: 'decimal', drops: 1 },
  { heading: 'Price', align: 'decimal', drops: 2 },
  { heading: 'Per', align: 'left', drops: 2 },
  { heading: 'Amount', align: 'decimal' },
  { heading: '', align: 'left', gap: 1 },
] as const

function totalRow({ view, currency, events, quantity, waived, amount }: ItemTotal): Row {
  const isLevel = view.quantity === null
  const counts = [quantity, waived].map((value) => (isLevel ? '' : readableNumber(plain(value))))
  return {
    cells: [
      view.component,
      safeText(view.item),
      safeText(view.rate),
      readableNumber(String(events)),
      counts[0]!,
      view.unit,
      counts[1]!,
      view.unitPrice ?? 'unknown',
      readablePer(view.pricingUnit),
      isLevel ? '' : readableNumber(plain(amount)),
      isLevel ? 'by how long it is stored' : currency,
    ],
  }
}

const EVENT_COLUMNS = [
  { heading: 'Line', align: 'right' },
  { heading: 'Outcome', align: 'left' },
  { heading: 'Event', align: 'left', shrinks: true },
  { heading: 'Counts in, UTC', align: 'left' },
  { heading: 'Item', align: 'left', shrinks: true },
  { heading: 'Quantity', align: 'decimal' },
  { heading: 'Unit', align: 'left' },
  { heading: 'Waived', align: 'decimal', drops: 1 },
  { heading: 'Price', align: 'decimal', drops: 2 },
  { heading: 'Per', align: 'left', drops: 2 },
  { heading: 'Amount', align: 'decimal' },
  { heading: '', align: 'left', gap: 1 },
] as const

/** A row for each event, and one more for each further rate that charges it. */
export function eventsTable(
  events: readonly CheckedEvent[],
  widthMax: number | undefined,
): readonly TextLine[] {
  if (events.length === 0) return [note('No events.')]
  const rows = events.flatMap((event): readonly Row[] => {
    const head = [String(event.line), event.outcome, safeText(event.id ?? ''), cycleOf(event)]
    if (event.charges.length === 0) return [{ cells: head }]
    return event.charges.map((charge, at) => ({
      cells: [...(at === 0 ? head : head.map(() => '')), ...chargeCells(charge, event.currency)],
    }))
  })
  return textTable(EVENT_COLUMNS, rows, widthMax)
}

function cycleOf({ cycle }: CheckedEvent): string {
  if (cycle === null) return ''
  return cycle.disposition === 'live'
    ? readableTime(cycle.from)
    : `${readableTime(cycle.from)}, ${cycle.disposition}`
}

function chargeCells(view: ChargeView, currency: string): readonly string[] {
  const isLevel = view.quantity === null
  return [
    safeText(`${view.item}/${view.rate}`),
    readableNumber(view.quantity ?? ''),
    view.unit,
    readableNumber(view.waived ?? ''),
    view.unitPrice ?? 'unknown',
    readablePer(view.pricingUnit),
    isLevel ? (view.amountPerHour ?? '') : readableNumber(view.amount ?? ''),
    isLevel ? `${currency} an hour` : currency,
  ]
}

function note(text: string): TextLine {
  return { role: 'note', text }
}
