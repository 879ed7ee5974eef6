import Type from 'typebox'
import { lineEventView, lineLevelView } from '../../core/present/event-view.ts'
import { findLine } from '../../flows/read/read-bills.ts'
import { listLineEvents, listLineLevels } from '../../flows/read/read-line-events.ts'
import { readCursor, writeCursor } from '../api/cursor.ts'
import { PAGE, PageParameters, parameter } from '../api/parameters.ts'
import { HttpProblem } from '../api/problem.ts'
import { pageOf, route } from '../route.ts'
import { Decimal, Nullable, Text, Time } from '../api/views.ts'
import { BillId, READ_BILLS, requireBill } from './bills.ts'

const Voided = Type.Boolean({
  description: 'It was taken back: the line gives it back, in negative quantities',
})

const EventItem = Type.Object({
  kind: Type.Literal('event'),
  voided: Voided,
  event: Type.Object({}, { additionalProperties: true, description: 'The CloudEvent that was sent' }),
  receivedAt: Time,
  quantity: Decimal,
  waived: Decimal,
})

const LevelItem = Type.Object({
  kind: Type.Literal('level'),
  voided: Voided,
  id: Text,
  source: Text,
  time: Time,
  dataset: Nullable,
  bytes: Decimal,
  from: Time,
  to: Time,
  quantity: Decimal,
})

/** Levels of storage are counted through: their cursor is how many came before. */
export const getLineEvents = route({
  method: 'GET',
  url: '/v1/bills/:id/lines/:number/events',
  access: READ_BILLS,
  summary: 'The usage events behind a line; for storage, the levels in force in its hour',
  params: Type.Object({
    id: BillId,
    number: parameter(
      Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
      'send the number of a line, from 1',
    ),
  }),
  query: Type.Object(PageParameters),
  answers: { 200: pageOf(Type.Union([EventItem, LevelItem])) },
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
