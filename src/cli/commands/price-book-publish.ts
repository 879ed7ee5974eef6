import { Command } from 'commander'
import type { PublishedPriceBook } from '../../api/price-book.ts'
import { componentsOf } from '../../core/present/bill-components.ts'
import { priceBookChangesTable } from '../../core/present/price-book-changes.ts'
import { countOf, readableTime } from '../../core/present/readable-text.ts'
import { formatProblem } from '../../flows/prices/parse-price-book.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { readPriceBookSource } from '../terminal/read-price-book-file.ts'
import { makeApi, type ServerApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

type Finding = PublishedPriceBook['remarks'][number]

interface PublishOptions extends ServerOptions {
  readonly dryRun?: true
  readonly basedOn?: number
  readonly json?: true
}

/** `price-book publish`: a new version. */
export function publishCommand(setExitCode: SetExitCode): Command {
  const command = new Command('publish')
    .summary('publish a price book file as the next version')
    .description(
      prose(`Compares a price book with the newest version, prints what changes, and publishes it. Nothing may change for
        an hour that has begun: what would is printed as file:line:column, and nothing is published. Exit code 1 then.`),
    )
    .argument('<file>', 'the price book, YAML; - is standard input')
    .option('--dry-run', 'publish nothing: only print what would change')
    .option('--based-on <version>', 'refuse if another version than this is the newest', readVersionNumber)
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing price-book publish book.yaml --dry-run', 'what would it change?'],
        ['farthing price-book publish book.yaml', 'change it'],
      ),
    )
    .action((file: string, options: PublishOptions) => publish(file, options, setExitCode))
}

async function publish(path: string, options: PublishOptions, setExitCode: SetExitCode): Promise<void> {
  const { dryRun, basedOn, json, ...server } = options
  const { name, source, parsed } = readPriceBookSource(path)
  if (!parsed.ok) {
    if (json) printJson({ ok: false, problems: parsed.problems })
    else for (const problem of parsed.problems) print(formatProblem(problem))
    throw new CommandFailed(`${name} has problems: correct it first.`)
  }
  const api = makeApi(serverAddress(server))
  const compared = await send(api, source, { dryRun: 'true', basedOn })
  const isRefused = compared.violations.length > 0
  if (isRefused) setExitCode(EXIT.failed)
  const isUnchanged = compared.changes.length === 0
  // Based on the version that it was compared with: what somebody else publishes in between is not undone.
  const answer =
    dryRun || isRefused || isUnchanged ? compared : await send(api, source, { basedOn: compared.basedOn })
  if (json) return printJson(answer)
  for (const finding of [...answer.violations, ...answer.remarks]) {
    print(atPlace(name, finding))
  }
  printLines(priceBookChangesTable(answer.changes, tableWidth(), componentsOf(parsed.book)))
  sayOutcome(name, answer)
}

function send(
  api: ServerApi,
  source: Uint8Array,
  query: { readonly dryRun?: 'true'; readonly basedOn: number | undefined },
): Promise<PublishedPriceBook> {
  const headers = { 'content-type': 'application/yaml' }
  return api.json('POST /v1/price-book', { query, headers, body: source })
}

function atPlace(name: string, { line, column, message, fix }: Finding): string {
  return `${name}:${line}:${column}: ${message.replace(/\.$/, '')} — ${fix}`
}

function sayOutcome(
  name: string,
  { changes, violations, published, version, basedOn, ...rest }: PublishedPriceBook,
): void {
  const count = countOf(changes.length, 'change')
  if (violations.length > 0) {
    const what = countOf(violations.length, 'change')
    const from = readableTime(rest.firstOpenHour)
    return print(
      `Not published: ${what} of hours that have begun. Prices may change from ${from} UTC on.`,
      'red',
    )
  }
  if (changes.length === 0) return print(`Version ${basedOn} says the same already: nothing to publish.`)
  if (published) return print(`Version ${version} is published: ${count}.`, 'green')
  print(`${name} would be version ${version}: ${count}. Nothing is published.`)
}

/** A whole number from 1. */
export function readVersionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CommandFailed(`${text} is no version: write its number, from 1.`, EXIT.usage)
}
