import type { billedBeforeView, lineEventView, lineLevelView } from './event-view.ts'
import { readableNumber, readableTime, safeText } from './readable-text.ts'
import { type Column, textTable, type TextLine } from './text-table.ts'

export type LineEventView = ReturnType<typeof lineEventView>
export type LineLevelView = ReturnType<typeof lineLevelView>
export type LineBilledView = ReturnType<typeof billedBeforeView>
export type BehindLine = LineEventView | LineLevelView | LineBilledView

/** The events behind a line, with what each adds to it. */
export function lineEventsTable(items: readonly BehindLine[], widthMax?: number): readonly TextLine[] {
  if (items.length === 0) return [{ role: 'plain', text: 'No events.' }]
  const events = items.filter((item) => item.kind === 'event')
  const levels = items.filter((item) => item.kind === 'level')
  const billed = items.filter((item) => item.kind === 'billed')
  const marked = [...events, ...levels].some(({ voided }) => voided) ? [MARK] : []
  return [
    ...(events.length > 0 ? textTable([...EVENT_COLUMNS, ...marked], events.map(eventRow), widthMax) : []),
    ...(levels.length > 0 ? textTable([...LEVEL_COLUMNS, ...marked], levels.map(levelRow), widthMax) : []),
    ...(billed.length > 0 ? textTable(BILLED_COLUMNS, billed.map(billedRow), widthMax) : []),
  ]
}

/** Only where a line gives something back. */
const MARK: Column = { heading: '', align: 'left' }

function markOf({ voided }: { readonly voided: boolean }): string {
  return voided ? 'voided' : ''
}

const SOURCE_AND_ID: readonly Column[] = [
  { heading: 'Source', align: 'left', shrinks: true, drops: 1 },
  { heading: 'Event', align: 'left', shrinks: true },
]

const EVENT_COLUMNS: readonly Column[] = [
  { heading: 'Time, UTC', align: 'left' },
  { heading: 'Billed', align: 'decimal' },
  { heading: 'Not billed', align: 'decimal' },
  { heading: 'Answer', align: 'left' },
  ...SOURCE_AND_ID,
]

function eventRow({ event, quantity, waived, voided }: LineEventView) {
  const names = [event.source, event.id].map(safeText)
  return {
    cells: [
      readableTime(event.time),
      readableNumber(quantity),
      readableNumber(waived),
      answerOf(event.data),
      ...names,
      markOf({ voided }),
    ],
  }
}

/** The status of a request, the outcome of an operator. */
function answerOf(data: unknown): string {
  const { status, outcome } = data as { readonly status?: unknown; readonly outcome?: unknown }
  if (typeof status === 'number') return String(status)
  return typeof outcome === 'string' ? safeText(outcome) : 'succeeded'
}

const LEVEL_COLUMNS: readonly Column[] = [
  { heading: 'Stored from, UTC', align: 'left' },
  { heading: 'to', align: 'left' },
  { heading: 'Bytes', align: 'right' },
  { heading: 'Byte-milliseconds', align: 'right', drops: 2 },
  { heading: 'Dataset', align: 'left', shrinks: true },
  { heading: 'Announced, UTC', align: 'left', drops: 3 },
  ...SOURCE_AND_ID,
]

const BILLED_COLUMNS: readonly Column[] = [
  { heading: 'Billed before, on bill', align: 'left' },
  { heading: 'Line', align: 'right' },
  { heading: 'Issued, UTC', align: 'left' },
  { heading: 'Byte-milliseconds', align: 'right' },
]

function billedRow({ bill, line, issuedAt, quantity }: LineBilledView) {
  return { cells: [safeText(bill), String(line), readableTime(issuedAt), readableNumber(quantity)] }
}

function levelRow(level: LineLevelView) {
  const { from, to, bytes, quantity, dataset, time, source, id } = level
  const numbers = [bytes, quantity].map(readableNumber)
  const times = [readableTime(from), readableTime(to)]
  return {
    cells: [
      ...times,
      ...numbers,
      safeText(dataset ?? ''),
      readableTime(time),
      safeText(source),
      safeText(id),
      markOf(level),
    ],
  }
}
