import { plain } from '../../core/money/decimal.ts'
import { lineEventsTable } from '../../core/present/line-events-table.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { lineExplanation } from '../../core/present/line-explanation.ts'
import type { PriceTerm, Tier } from '../../core/rate/price-book/price-book.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import { takeItems } from '../client/print-list.ts'
import type { ItemOf } from '../client/api-types.ts'
import { readTerms } from '../client/read-terms.ts'
import type { ServerApi } from '../client/server-api.ts'
import { printJson, printLines, remark, tableWidth } from '../terminal/terminal.ts'

/** Events of a line that are read to put them in order of time: the server lists them in the order of their ids. */
export const EVENTS_ORDERED_MAX = 10_000

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
  const read = await takeItems(api, EVENTS_BEHIND, behind, Math.max(limit, EVENTS_ORDERED_MAX))
  const ordered = read.items.toSorted((a, b) => instantOf(a) - instantOf(b))
  const items = ordered.slice(0, limit)
  const { termsOf, sold } = await readTerms(api, [line])
  const terms = termsOf(line)
  if (json) {
    const publicPrice = terms?.term ? priceView(terms.term) : null
    const price = terms?.listed ? priceView(terms.listed.term) : publicPrice
    const discount = terms?.listed?.discount ? plain(terms.listed.discount.share) : null
    printJson({ line, price, publicPrice, discount, events: items })
    return
  }
  printLines([...lineExplanation(bill, line, terms, sold), { role: 'plain', text: '' }])
  printLines(lineEventsTable(items, tableWidth()))
  if (ordered.length > limit || read.isCut) remark(partShown(items.length, ordered.length, read.isCut))
}

type BehindLine = ItemOf<typeof EVENTS_BEHIND>

/** When it happened, was in force, or was billed. Rows of one kind stand together, so that only these are compared. */
function instantOf(item: BehindLine): number {
  const time = item.kind === 'event' ? item.event.time : item.kind === 'level' ? item.from : item.issuedAt
  return Date.parse(time)
}

function partShown(shown: number, read: number, isCut: boolean): string {
  const more = '--events NUMBER shows more'
  if (!isCut) return `The first ${shown} of ${countOf(read, 'row')}, by time: ${more}.`
  const what = `The first ${shown} by time of ${countOf(read, 'row')} that were read`
  return `${what}. The line has more, so an earlier one may be missing: ${more}.`
}

const EVENTS_BEHIND = 'GET /v1/bills/:id/lines/:number/events'

function priceView(term: PriceTerm) {
  const from = formatHourStart(term.from)
  switch (term.kind) {
    case 'price':
      return { from, price: plain(term.unitPrice), illustrative: term.illustrative }
    case 'tiers':
      return { from, tiers: term.tiers.map(tierView), illustrative: term.illustrative }
    case 'free':
      return { from, free: term.reason }
    case 'unknown':
      return { from, price: 'unknown' }
  }
}

function tierView({ upTo, unitPrice }: Tier) {
  return { upTo: upTo ? plain(upTo) : null, price: plain(unitPrice) }
}
