import { Command } from 'commander'
import { countOf, safeText } from '../../core/present/readable-text.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { formatProblem, parsePriceList } from '../../flows/prices/parse-price-book.ts'
import { readVersion } from '../client/read-terms.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { nameOfFile, readBytes } from '../terminal/read-file.ts'
import { readPriceBookFile } from '../terminal/read-price-book-file.ts'
import { complain, print, printJson } from '../terminal/terminal.ts'

interface CheckOptions extends ServerOptions {
  readonly priceBook?: string
  readonly json?: true
}

/** `price-lists check`: what is wrong with a file. */
export function checkCommand(setExitCode: SetExitCode): Command {
  const command = new Command('check')
    .summary('say what is wrong with a price list file, and what to write instead')
    .description(
      prose(`Reads a price list and prints each problem as file:line:column: what is wrong — what to write instead. A list
        belongs to a price book: to that of --price-book, which asks no server, or to the newest one of the server. Exit
        code 1 if there are problems.`),
    )
    .argument('<file>', 'the price list, YAML; - is standard input')
    .option('--price-book <file>', 'the price book that it is for, YAML')
    .option('--json', 'print {"ok", "problems"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing price-lists check partners.yaml --price-book book.yaml', 'is it right? without a server'],
        ['farthing price-lists check partners.yaml', 'does it fit the published book?'],
      ),
    )
    .action((file: string, options: CheckOptions) => check(file, options, setExitCode))
}

async function check(
  path: string,
  { priceBook, json, ...server }: CheckOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  if (path === '-' && priceBook === '-') {
    throw new CommandFailed('List and price book cannot both be standard input: name a file.', EXIT.usage)
  }
  const name = nameOfFile(path)
  const source = readBytes(path, 'price list')
  const book =
    priceBook === undefined ? (await readVersion(makeApi(serverAddress(server)))).book : bookOfFile(priceBook)
  const parsed = parsePriceList(source, name, book)
  if (!parsed.ok) setExitCode(EXIT.failed)
  if (json)
    return printJson(parsed.ok ? { ok: true, problems: [] } : { ok: false, problems: parsed.problems })
  if (!parsed.ok) {
    for (const problem of parsed.problems) print(formatProblem(problem))
    return print(`${countOf(parsed.problems.length, 'problem')} in ${name}.`, 'red')
  }
  const { rates } = parsed.value
  const what = `price list ${safeText(parsed.value.name)}, ${countOf(rates.size, 'rate')} with prices of its own`
  print(`${name} is fine: ${what}.`, 'green')
}

function bookOfFile(path: string): PriceBook {
  const parsed = readPriceBookFile(path)
  if (parsed.ok) return parsed.book
  for (const problem of parsed.problems) complain(formatProblem(problem))
  throw new CommandFailed(`The price book ${nameOfFile(path)} has problems: correct it first.`)
}
