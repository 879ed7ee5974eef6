import { Command } from 'commander'
import type { PriceListChange } from '../../api/price-lists.ts'
import { priceListChangesTable, priceListChangeView } from '../../core/present/price-list-changes.ts'
import { safeText } from '../../core/present/readable-text.ts'
import { listChangesBetween } from '../../core/rate/price-list/list-changes.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { formatProblem, parsePriceList } from '../../flows/prices/parse-price-book.ts'
import { readListVersion, readVersion } from '../client/read-terms.ts'
import { ApiRefused, makeApi, type ServerApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { nameOfFile, readBytes } from '../terminal/read-file.ts'
import { complain, print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

interface DiffOptions extends ServerOptions {
  readonly json?: true
}

interface DiffView {
  readonly name: string
  /** The number of a version of the prices, or the name of a file; null: there is no such list yet. */
  readonly from: number | string | null
  readonly to: number | string
  readonly changes: readonly PriceListChange[]
}

/** `price-lists diff`: what differs between versions of a list, or a file and the newest. */
export function diffCommand(): Command {
  const command = new Command('diff')
    .summary('say what differs between a file and the newest version of a list, or two versions')
    .description(
      prose(`Prints what differs and from when on: discount, minimum and prices. A file is compared with the newest
        version of the list; two numbers are versions of the prices, and the newest stands for the second if it is left
        out.`),
    )
    .argument('<name>', 'the name of the list')
    .argument('<from>', 'a file, YAML, - for standard input; or the number of the older version')
    .argument('[to]', 'the number of the newer version (default: the newest)')
    .option('--json', 'print {"name", "from", "to", "changes"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing price-lists diff partners partners.yaml', 'what would this file change?'],
        ['farthing price-lists diff partners 3', 'what has changed since version 3?'],
      ),
    )
    .action(diff)
}

async function diff(
  name: string,
  from: string,
  to: string | undefined,
  { json, ...server }: DiffOptions,
): Promise<void> {
  if (to !== undefined && !(isVersion(from) && isVersion(to))) {
    throw new CommandFailed(
      isVersion(from)
        ? `${safeText(to)} is no version: write its number.`
        : 'A file is compared with the newest version: write it alone.',
      EXIT.usage,
    )
  }
  const api = makeApi(serverAddress(server))
  const view = isVersion(from)
    ? await diffVersions(api, name, Number(from), to === undefined ? undefined : Number(to))
    : await diffFile(api, name, from)
  if (json) return printJson(view)
  printLines(priceListChangesTable(view.changes, tableWidth()))
  const before = view.from === null ? 'no such list' : sideName(view.from)
  print(`Price list ${safeText(name)}: from ${before} to ${sideName(view.to)}.`)
}

function isVersion(text: string): boolean {
  return /^[1-9]\d{0,8}$/.test(text)
}

function sideName(side: number | string): string {
  return typeof side === 'number' ? `version ${side}` : side
}

async function diffVersions(
  api: ServerApi,
  name: string,
  from: number,
  to: number | undefined,
): Promise<DiffView> {
  const [before, after] = [await readListVersion(api, name, from), await readListVersion(api, name, to)]
  const changes = listChangesBetween(before.list, after.list).map(priceListChangeView)
  return { name, from, to: to ?? after.priceVersion, changes }
}

async function diffFile(api: ServerApi, name: string, path: string): Promise<DiffView> {
  const { view, book } = await readVersion(api)
  const file = nameOfFile(path)
  const parsed = parsePriceList(readBytes(path, 'price list'), file, book)
  if (!parsed.ok) {
    for (const problem of parsed.problems) complain(formatProblem(problem))
    throw new CommandFailed(`${file} has problems: correct it first.`)
  }
  if (parsed.value.name !== name) {
    throw new CommandFailed(`${file} has the list ${safeText(parsed.value.name)}: compare it with that one.`)
  }
  const old = await findNewest(api, name)
  const changes = listChangesBetween(old, parsed.value).map(priceListChangeView)
  return { name, from: old ? view.version : null, to: file, changes }
}

async function findNewest(api: ServerApi, name: string): Promise<PriceList | undefined> {
  try {
    return (await readListVersion(api, name)).list
  } catch (error) {
    if (error instanceof ApiRefused && error.code === 'price_list/not_found') return undefined
    throw error
  }
}
