import { plain } from '../../core/money/decimal.ts'
import { lineEventsTable } from '../../core/present/line-events-table.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { lineExplanation } from '../../core/present/line-explanation.ts'
import type { PriceTerm } from '../../core/rate/price-book/price-book.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { parseInstant } from '../../core/time/instant.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import { takeItems } from '../client/print-list.ts'
import { readTerms } from '../client/read-terms.ts'
import type { ServerApi } from '../client/server-api.ts'
import { printJson, printLines, remark, tableWidth } from '../terminal/terminal.ts'

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
  const bill = await api.json('GET /v1/bills/:id', { params: { id } })
  const line = bill.lines.find((each) => each.number === number)
  if (!line)
    throw new CommandFailed(
      `The bill ${id} has ${countOf(bill.lines.length, 'line')}, and no line ${number}.`,
    )
  const behind = { params: { id, number } }
  const { items, isCut } = await takeItems(api, EVENTS_BEHIND, behind, limit)
  const { termsOf } = await readTerms(api, [line])
  const terms = termsOf(line)
  if (json) {
    printJson({ line, price: terms?.term ? priceView(terms.term) : null, events: items })
    return
  }
  printLines([...lineExplanation(bill, line, terms), { role: 'plain', text: '' }])
  printLines(lineEventsTable(isCut ? items : byTime(items), tableWidth()))
  if (isCut) remark(`There are more: --events ${limit * 10} shows more.`)
}

/** In the order in which it happened; the server has the order of the events' key, page by page. */
function byTime<Item extends { readonly kind: string }>(items: readonly Item[]): readonly Item[] {
  const at = (item: Item) => ('time' in item ? parseInstant(String(item.time)) : undefined)
  if (items.some((item) => typeof at(item) !== 'number')) return items
  return items.toSorted((a, b) => Number(at(a)) - Number(at(b)))
}

const EVENTS_BEHIND = 'GET /v1/bills/:id/lines/:number/events'

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
