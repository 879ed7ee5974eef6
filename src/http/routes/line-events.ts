import { billedBeforeView, lineEventView, lineLevelView } from '../../core/present/event-view.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { findLine } from '../../flows/read/read-bills.ts'
import { listLineEvents } from '../../flows/read/read-line-events.ts'
import { type LineLevel, type LinePosition, listLineLevels } from '../../flows/read/read-line-levels.ts'
import { GetLineEvents } from '../../api/line-events.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { READ_BILLS, requireBill } from './bills.ts'

export const getLineEvents = route({
  ...GetLineEvents,
  access: READ_BILLS,
  async handle({ params, query, key }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    const line = await findLine(reading, bill, params.number)
    if (!line) {
      const detail = `The bill has ${countOf(bill.lineCount, 'line')}, and none with the number ${params.number}.`
      throw new HttpProblem('bill/line_not_found', detail)
    }
    const { limit = PAGE, cursor } = query
    if (line.component === 'storage') {
      const { items, next } = await listLineLevels(reading, bill, line, {
        after: readPosition(cursor),
        limit,
      })
      return { items: items.map((item) => levelView(bill.account, item)), next: writePosition(next) }
    }
    const after = readCursor('line events', ['text', 'text'], cursor)
    const page = await listLineEvents(reading, bill, line, { after, limit })
    const items = page.items.map((event) => lineEventView(bill.account, event, event.charge))
    return { items, next: writeCursor('line events', page.next) }
  },
})

function levelView(account: string, item: LineLevel) {
  return item.kind === 'billed' ? billedBeforeView(account, item) : lineLevelView(item)
}

/** Behind all levels `rest` counts what came of the others; before that it is -1. */
function writePosition(position: LinePosition | null): string | null {
  if (position === null) return null
  if (position.place === undefined) return writeCursor('levels', ['', '', '', 0, '', '', position.rest])
  const { project, dataset, region, at, source, id } = position.place
  return writeCursor('levels', [project, dataset, region, at, source, id, -1])
}

function readPosition(cursor: string | undefined): LinePosition | undefined {
  const parts = ['text', 'text', 'text', 'instant', 'text', 'text', 'rest'] as const
  const position = readCursor('levels', parts, cursor)
  if (position === undefined) return undefined
  const [project, dataset, region, at, source, id, rest] = position
  if (rest >= 0) return { rest }
  return { place: { project, dataset, region, at, source, id } }
}
