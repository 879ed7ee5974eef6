import { Command } from 'commander'
import { type LineEventView, lineEventsTable, type LineLevelView } from '../core/present/line-events-table.ts'
import { lineExplanation } from '../core/present/line-explanation.ts'
import type { BillView, LineView } from '../core/present/bill-table.ts'
import { plain } from '../core/money/decimal.ts'
import type { PriceTerm } from '../core/rate/price-book.ts'
import { formatHourStart } from '../core/time/hour.ts'
import { CommandFailed, EXIT } from './command-failed.ts'
import { examples, prose } from './help-text.ts'
import { takeItems } from './print-list.ts'
import { readTerms } from './read-terms.ts'
import { apiPath, makeApi, type ServerApi } from './server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from './server-address.ts'
import { printJson, printLines, say, tableWidth } from './terminal.ts'

interface ExplainOptions extends ServerOptions {
  readonly events: string
  readonly json?: true
}

/** `explain`: why a line is on a bill. */
export function explainCommand(): Command {
  const command = new Command('explain')
    .summary('explain a line of a bill')
    .description(
      prose(`Explains a line of a bill: the rule that made it billable, the price and since when it holds, how the
        amount came about, and the first events behind it.`),
    )
    .argument('<bill>', 'the id of the bill')
    .argument('<line>', 'the number of the line, as `farthing bill` shows it')
    .option('--events <number>', 'show at most so many events', '10')
    .option('--json', 'print {"line", "price", "events"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing explain 2025-07-28T03Z.acme 2', 'why is the second line on this bill?']),
    )
    .action(explainLine)
}

async function explainLine(id: string, number: string, options: ExplainOptions): Promise<void> {
  const limit = readCount(options.events)
  const api = makeApi(serverAddress(options))
  const { head, line } = await readLine(api, id, number)
  const path = apiPath('v1', 'bills', id, 'lines', number, 'events')
  const { items, isCut } = await takeItems<LineEventView | LineLevelView>(api, path, {}, limit)
  const termsOf = await readTerms(api, [line])
  const terms = termsOf(line)
  if (options.json) {
    printJson({ line, price: terms?.term ? priceView(terms.term) : null, events: items })
    return
  }
  printLines(lineExplanation(head, line, terms))
  process.stdout.write('\n')
  printLines(lineEventsTable(items, tableWidth()))
  if (isCut) say(`There are more events: --events ${limit * 10} shows more.`)
}

/** The line of this number: pages of lines until it is there. */
async function readLine(
  api: ServerApi,
  id: string,
  number: string,
): Promise<{ readonly head: Pick<BillView, 'id' | 'currency'>; readonly line: LineView }> {
  if (!/^[1-9]\d{0,8}$/.test(number)) {
    throw new CommandFailed(`${number} is not the number of a line: write 1 for the first.`, EXIT.usage)
  }
  const head = await api.json<BillView>(apiPath('v1', 'bills', id))
  const line = head.lines.find((each) => String(each.number) === number)
  if (line) return { head, line }
  throw new CommandFailed(`The bill ${id} has ${head.lines.length} lines, and no line ${number}.`)
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

function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new CommandFailed(`--events is ${text}: write a number from 1.`, EXIT.usage)
}
