import { plain } from '../../core/money/decimal.ts'
import type { BillView, LineView } from '../../core/present/bill-table.ts'
import {
  type LineEventView,
  lineEventsTable,
  type LineLevelView,
} from '../../core/present/line-events-table.ts'
import { lineExplanation } from '../../core/present/line-explanation.ts'
import type { PriceTerm } from '../../core/rate/price-book/price-book.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import { takeItems } from '../client/print-list.ts'
import { readTerms } from '../client/read-terms.ts'
import { apiPath, type ServerApi } from '../client/server-api.ts'
import { printJson, printLines, say, tableWidth } from '../terminal/terminal.ts'

interface ExplainLine {
  /** Events that are shown, at most. */
  readonly limit: number
  readonly json: boolean
}

/** Why a line is on a bill: its rule, its price, and the first events behind it. */
export async function explainLine(
  api: ServerApi,
  id: string,
  number: number,
  { limit, json }: ExplainLine,
): Promise<void> {
  const bill = await api.json<BillView>(apiPath('v1', 'bills', id))
  const line = bill.lines.find((each) => each.number === number)
  if (!line) throw new CommandFailed(`The bill ${id} has ${bill.lines.length} lines, and no line ${number}.`)
  const { items, isCut } = await eventsBehind(api, id, line, limit)
  const terms = (await readTerms(api, [line]))(line)
  if (json) {
    printJson({ line, price: terms?.term ? priceView(terms.term) : null, events: items })
    return
  }
  printLines([...lineExplanation(bill, line, terms), { role: 'plain', text: '' }])
  printLines(lineEventsTable(items, tableWidth()))
  if (isCut) say(`There are more: --events ${limit * 10} shows more.`)
}

function eventsBehind(api: ServerApi, id: string, { number }: LineView, limit: number) {
  const path = apiPath('v1', 'bills', id, 'lines', String(number), 'events')
  return takeItems<LineEventView | LineLevelView>(api, path, {}, limit)
}

function priceView(term: PriceTerm) {
  const from = formatHourStart(term.from)
  switch (term.kind) {
    case 'price':
      return { from, price: plain(term.unitPrice), illustrative: term.illustrative }
    case 'free':
      return { from, free: term.reason }
    case 'unknown':
      return { from, price: 'unknown' }
  }
}
