import { Command } from 'commander'
import type { PriceBookChange } from '../../api/price-book.ts'
import { componentsOf, type SoldComponents } from '../../core/present/bill-components.ts'
import { priceBookChangesTable, priceBookChangeView } from '../../core/present/price-book-changes.ts'
import { changesBetween } from '../../core/rate/price-book/compare/changes.ts'
import { formatProblem } from '../../flows/prices/parse-price-book.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { readPriceBookSource } from '../terminal/read-price-book-file.ts'
import { readVersion } from '../client/read-terms.ts'
import { makeApi, type ServerApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { complain, print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

interface DiffOptions extends ServerOptions {
  readonly json?: true
}

interface DiffView {
  /** The number of a version, or the name of a file. */
  readonly from: number | string
  readonly to: number | string
  readonly changes: readonly PriceBookChange[]
}

/** `price-book diff`: what differs between versions, or a file and the newest. */
export function diffCommand(): Command {
  const command = new Command('diff')
    .summary('say what differs between two versions, or a file and the newest')
    .description(
      prose(`Prints what differs and from when on: prices, units, operations, what is added or retired. Two numbers are
        versions; a file is compared with the newest version; without either, the newest with the one before it.`),
    )
    .argument('[from]', 'the number of the older version; or a file, YAML, - for standard input')
    .argument('[to]', 'the number of the newer version (default: the newest)')
    .option('--json', 'print {"from", "to", "changes"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing price-book diff', 'what did the newest version change?'],
        ['farthing price-book diff 1 3', 'what has changed since version 1?'],
        ['farthing price-book diff book.yaml', 'what would this file change?'],
      ),
    )
    .action(diff)
}

async function diff(
  from: string | undefined,
  to: string | undefined,
  { json, ...server }: DiffOptions,
): Promise<void> {
  if (!isVersion(to)) {
    throw new CommandFailed(`${to} is no version: write its number; a file stands alone.`, EXIT.usage)
  }
  if (!isVersion(from) && to !== undefined) {
    throw new CommandFailed('A file is compared with the newest version: write it alone.', EXIT.usage)
  }
  const api = makeApi(serverAddress(server))
  const { sold, ...view } = isVersion(from) ? await diffVersions(api, from, to) : await diffFile(api, from!)
  if (json) return printJson(view)
  printLines(priceBookChangesTable(view.changes, tableWidth(), sold))
  print(`From ${sideName(view.from)} to ${sideName(view.to)}.`)
}

function isVersion(text: string | undefined): boolean {
  return text === undefined || /^[1-9]\d{0,8}$/.test(text)
}

function numberOf(version: string | undefined): number | undefined {
  return version === undefined ? undefined : Number(version)
}

function sideName(side: number | string): string {
  return typeof side === 'number' ? `version ${side}` : side
}

interface NamedDiff extends DiffView {
  /** By the newer side. */
  readonly sold: SoldComponents
}

async function diffVersions(
  api: ServerApi,
  from: string | undefined,
  to: string | undefined,
): Promise<NamedDiff> {
  const query = { from: numberOf(from), to: numberOf(to) }
  const view = await api.json('GET /v1/price-book/diff', { query })
  const { book } = await readVersion(api, view.to)
  return { ...view, sold: componentsOf(book) }
}

async function diffFile(api: ServerApi, path: string): Promise<NamedDiff> {
  const { name, parsed } = readPriceBookSource(path)
  if (!parsed.ok) {
    for (const problem of parsed.problems) complain(formatProblem(problem))
    throw new CommandFailed(`${name} has problems: correct it first.`)
  }
  const { view, book } = await readVersion(api)
  const changes = changesBetween(book, parsed.book).map(priceBookChangeView)
  return { from: view.version, to: name, changes, sold: componentsOf(parsed.book) }
}
