import { Command } from 'commander'
import { countOf } from '../core/present/readable-text.ts'
import type { PriceBook } from '../core/rate/price-book.ts'
import { formatProblem } from '../flows/parse-price-book.ts'
import { EXIT } from './command-failed.ts'
import { examples, prose } from './help-text.ts'
import type { SetExitCode } from './program.ts'
import { readPriceBookFile } from './read-price-book-file.ts'
import { printJson, say } from './terminal.ts'

/** `price-book`: what is charged. */
export function priceBookCommand(setExitCode: SetExitCode): Command {
  return new Command('price-book')
    .summary('check a price book')
    .description(
      'Price books say what is charged: which operations, by which unit, at which price from when on.',
    )
    .addCommand(checkCommand(setExitCode))
}

function checkCommand(setExitCode: SetExitCode): Command {
  return new Command('check')
    .summary('say what is wrong with a price book, and what to write instead')
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
    process.stdout.write(`${formatProblem(finding)}\n`)
  }
  const name = path === '-' ? 'standard input' : path
  if (parsed.ok) say(`${name} is fine: ${bookSummary(parsed.book)}.`, 'green')
  else say(`${countOf(String(parsed.problems.length), 'problem')} in ${name}.`, 'red')
}

function bookSummary({ name, currency, rates, operations }: PriceBook): string {
  const terms = rates.flatMap((rate) => rate.terms)
  const marked = terms.filter((term) => term.kind === 'price' && term.illustrative).length
  const counts = [
    countOf(String(new Set(rates.map(({ item }) => item)).size), 'item'),
    countOf(String(rates.length), 'rate'),
    countOf(String(operations.size), 'operation'),
    `${countOf(String(terms.length), 'price')}${marked > 0 ? ` (${marked} illustrative)` : ''}`,
  ]
  return `price book ${name} in ${currency}, ${counts.join(', ')}`
}
