import { Command } from 'commander'
import { priceBookSummary, priceBookTable } from '../../core/present/price-book-table.ts'
import { countOf, readableTime } from '../../core/present/readable-text.ts'
import { formatProblem } from '../../flows/prices/parse-price-book.ts'
import { EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { diffCommand } from './price-book-diff.ts'
import { listCommand } from './price-book-list.ts'
import { publishCommand, readVersionNumber } from './price-book-publish.ts'
import { readPriceBookFile } from '../terminal/read-price-book-file.ts'
import { readVersion } from '../client/read-terms.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

/** `price-book`: what is charged. */
export function priceBookCommand(setExitCode: SetExitCode): Command {
  return new Command('price-book')
    .summary('check, publish, show and compare price books')
    .description(
      'Price books say what is charged: which operations, by which unit, at which price from when on.',
    )
    .addCommand(checkCommand(setExitCode))
    .addCommand(publishCommand(setExitCode))
    .addCommand(showCommand())
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(diffCommand())
}

function checkCommand(setExitCode: SetExitCode): Command {
  return new Command('check')
    .summary('say what is wrong with a price book file, and what to write instead')
    .description(
      prose(`Reads a price book and prints each problem as file:line:column: what is wrong — what to write instead.
        Exit code 1 if there are problems. Remarks on a valid book change nothing.`),
    )
    .argument('<file>', 'the price book, YAML; - is standard input')
    .option('--json', 'print {"ok", "problems" or "remarks"}')
    .addHelpText(
      'after',
      examples(['farthing price-book check price-books/imm.yaml', 'is the reference price book right?']),
    )
    .action((file: string, options: { readonly json?: true }) => check(file, options, setExitCode))
}

function check(path: string, { json }: { readonly json?: true }, setExitCode: SetExitCode): void {
  const parsed = readPriceBookFile(path)
  if (!parsed.ok) setExitCode(EXIT.failed)
  if (json) {
    return printJson(
      parsed.ok ? { ok: true, remarks: parsed.remarks } : { ok: false, problems: parsed.problems },
    )
  }
  for (const finding of parsed.ok ? parsed.remarks : parsed.problems) {
    print(formatProblem(finding))
  }
  const name = path === '-' ? 'standard input' : path
  if (parsed.ok) print(`${name} is fine: ${priceBookSummary(parsed.book)}.`, 'green')
  else print(`${countOf(parsed.problems.length, 'problem')} in ${name}.`, 'red')
}

interface ShowOptions extends ServerOptions {
  readonly operations?: true
  readonly json?: true
}

function showCommand(): Command {
  const command = new Command('show')
    .summary('print the published price book')
    .description(
      prose('Prints a version of the price book as the server has it: every rate with its prices.'),
    )
    .argument('[version]', 'its number (default: the newest)', readVersionNumber)
    .option('--operations', 'also the operations of each rate')
    .option('--json', 'print the version as the API has it')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing price-book show --operations', 'what is charged, for which calls']),
    )
    .action(show)
}

async function show(
  version: number | undefined,
  { operations, json, ...options }: ShowOptions,
): Promise<void> {
  const { view, book } = await readVersion(makeApi(serverAddress(options)), version)
  if (json) return printJson(view)
  printLines(priceBookTable(book, { operations: operations ?? false, widthMax: tableWidth() }))
  const mark = view.demo ? ' DEMO: nothing is owed.' : ''
  print(`Version ${view.version} of ${readableTime(view.publishedAt)} UTC: ${priceBookSummary(book)}.${mark}`)
}
