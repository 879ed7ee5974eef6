import { lineEventView, lineLevelView } from '../../core/present/event-view.ts'
import { findLine } from '../../flows/read/read-bills.ts'
import { listLineEvents, listLineLevels } from '../../flows/read/read-line-events.ts'
import { GetLineEvents } from '../../api/line-events.ts'
import { PAGE } from '../../api/parameters.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { HttpProblem } from '../api/problem.ts'
import { route } from '../route.ts'
import { READ_BILLS, requireBill } from './bills.ts'

/** Levels of storage are counted through: their cursor is how many came before. */
export const getLineEvents = route({
  ...GetLineEvents,
  access: READ_BILLS,
  async handle({ params, query, key }, { reading }) {
    const bill = await requireBill(reading, params.id, key)
    const line = await findLine(reading, bill, params.number)
    if (!line) {
      const detail = `The bill has ${bill.lineCount} lines, and none with the number ${params.number}.`
      throw new HttpProblem('bill/line_not_found', detail)
    }
    const { limit = PAGE, cursor } = query
    if (line.component === 'storage') {
      const start = Math.max(readCursor('levels', ['int'], cursor)?.[0] ?? 0, 0)
      const spans = await listLineLevels(reading, bill, line)
      const items = spans.slice(start, start + limit).map(lineLevelView)
      return { items, next: writeCursor('levels', start + limit < spans.length ? [start + limit] : null) }
    }
    const after = readCursor('line events', ['string', 'string'], cursor)
    const page = await listLineEvents(reading, bill, line, { after, limit })
    const items = page.items.map((event) => lineEventView(bill.account, event, event.charge))
    return { items, next: writeCursor('line events', page.next) }
  },
})
