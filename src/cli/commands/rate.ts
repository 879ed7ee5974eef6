import { Command } from 'commander'
import type { Bill } from '../../core/bill/bill.ts'
import { componentsOf } from '../../core/present/bill-components.ts'
import { billTable } from '../../core/present/bill-table.ts'
import { billView, type LineView } from '../../core/present/bill-view.ts'
import { billsTable } from '../../core/present/bills-table.ts'
import { lineTerms } from '../../core/present/line-terms.ts'
import { countOf } from '../../core/present/readable-text.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import type { Instant } from '../../core/time/instant.ts'
import { formatProblem, parsePriceList } from '../../flows/prices/parse-price-book.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { openEventFile } from '../import/event-lines.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { outcomeSummary, ProblemLog } from '../terminal/outcomes.ts'
import { rateEvents } from './rate-events.ts'
import { nameOfFile, readBytes } from '../terminal/read-file.ts'
import { readPriceBookFile } from '../terminal/read-price-book-file.ts'
import { complain, conclude, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

interface RateOptions {
  readonly priceBook: string
  readonly priceList?: string
  readonly account?: string
  readonly summary?: true
  readonly verbose?: boolean
  readonly json?: true
}

/** `rate`: bills on paper. */
export function rateCommand(setExitCode: SetExitCode): Command {
  return new Command('rate')
    .summary('print the bills of a file of events, without server or database')
    .description(
      prose(`Prints the bills that the events of a file come to: one for each hour and account, as if every event had
arrived in time. Nothing is stored, and no server is asked. With --price-list it says what a customer would pay under an
offer.`),
    )
    .argument('<events>', 'NDJSON, one CloudEvent on each line, packed with gzip or not; - is standard input')
    .requiredOption('--price-book <file>', 'the price book, YAML')
    .option('--price-list <file>', 'what every account pays by in place of the public prices, YAML')
    .option('--account <account>', 'print the bills of this account only')
    .option('--summary', 'print one line for each bill')
    .option('--verbose', 'also stored data in base units, and digests in full')
    .option(
      '--json',
      'print {"bills", "accepted", "duplicates", "conflicts", "held", "rejected", "problems"}',
    )
    .addHelpText(
      'after',
      examples(
        ['farthing rate day.ndjson.gz --price-book price-books/imm.yaml', 'every bill of that day'],
        [
          'farthing rate day.ndjson.gz --price-book book.yaml --price-list offer.yaml',
          'what would they pay by this offer?',
        ],
        ['farthing rate - --price-book book.yaml --summary < day.ndjson', 'one line a bill'],
      ),
    )
    .action((path: string, options: RateOptions) => rate(path, options, setExitCode))
}

async function rate(path: string, options: RateOptions, setExitCode: SetExitCode): Promise<void> {
  if ([path, options.priceBook, options.priceList].filter((name) => name === '-').length > 1) {
    throw new CommandFailed(
      'Only one of events, price book and price list can be standard input: name a file for the others.',
      EXIT.usage,
    )
  }
  const file = openEventFile(path)
  const parsed = readPriceBookFile(options.priceBook)
  if (!parsed.ok) {
    for (const problem of parsed.problems) complain(formatProblem(problem))
    throw new CommandFailed(`The price book ${options.priceBook} has problems: correct it first.`)
  }
  const list = options.priceList === undefined ? undefined : readList(options.priceList, parsed.book)
  const now = Date.now() as Instant
  const { bills: all, counts, problems } = await rateEvents(parsed.book, file.lines, now, list)
  const { account } = options
  const bills = account === undefined ? all : all.filter((bill) => bill.account === account)
  if (options.json) printJson({ bills: bills.map(billView), ...counts, problems })
  else printBills(bills, parsed.book, list, options)
  const log = new ProblemLog()
  for (const problem of problems) log.add(problem)
  log.say(file.name)
  const accounts = new Set(bills.map((bill) => bill.account)).size
  const made = `${countOf(bills.length, 'bill')} of ${countOf(accounts, 'account')}`
  conclude(`${outcomeSummary(counts)}. ${made}.`, { json: options.json === true })
  if (counts.rejected + counts.conflicts > 0) setExitCode(EXIT.someRefused)
}

function readList(path: string, book: PriceBook): PriceList {
  const parsed = parsePriceList(readBytes(path, 'price list'), nameOfFile(path), book)
  if (parsed.ok) return parsed.value
  for (const problem of parsed.problems) complain(formatProblem(problem))
  throw new CommandFailed(`The price list ${nameOfFile(path)} has problems: correct it first.`)
}

function printBills(
  bills: readonly Bill[],
  book: PriceBook,
  list: PriceList | undefined,
  { summary, verbose = false }: RateOptions,
): void {
  const views = bills.map(billView)
  const widthMax = tableWidth()
  const sold = componentsOf(book)
  const lists = list && new Map([[list.name, list]])
  if (summary) return printLines(billsTable(views, { sold, widthMax }))
  const termsOf = (line: LineView) => lineTerms(book, line, lists)
  for (const view of views) {
    printLines([...billTable(view, { verbose, widthMax, termsOf, sold }), { role: 'plain', text: '' }])
  }
}
