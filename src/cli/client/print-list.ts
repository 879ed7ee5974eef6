import { printableJson } from '../../core/text/printable-json.ts'
import type { Command } from 'commander'
import { textTable, type Column, type Row, type TextLine } from '../../core/present/text-table.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import type { ItemOf, Listed, ListRequest } from './api-types.ts'
import { makeApi, type ServerApi } from './server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from './server-address.ts'
import { printLines, remark, tableWidth } from '../terminal/terminal.ts'

/** Rows of a table unless told: more than a month of hours. */
const LIMIT = 1000

/** What every command that prints a list can be told. */
export interface ListOptions extends ServerOptions {
  readonly limit?: string
  readonly json?: true
}

/** Adds `--limit`, `--json` and `--url`. */
export function withListOptions(command: Command, item: string): Command {
  return withServerOptions(
    command
      .option('--limit <number>', `at most so many, or all (default: ${LIMIT}; with --json all)`)
      .option('--json', `print each ${item} as the API has it, one a line (NDJSON)`),
  )
}

/** Lists are a table for people, and NDJSON for programs: each item as soon as it is there. */
export async function printList<Name extends Listed>(
  { limit: limitText, json, ...server }: ListOptions,
  name: Name,
  request: ListRequest<Name>,
  show: (
    items: readonly ItemOf<Name>[],
    api: ServerApi,
  ) => readonly TextLine[] | Promise<readonly TextLine[]>,
): Promise<void> {
  const given = limitText === undefined ? undefined : readLimit(limitText)
  const api = makeApi(serverAddress(server))
  if (json) {
    for await (const item of api.list(name, request, given)) process.stdout.write(`${printableJson(item)}\n`)
    return
  }
  const { items, isCut } = await takeItems(api, name, request, given ?? LIMIT)
  printLines(await show(items, api))
  if (isCut) remark('There are more: --limit all lists them.')
}

/** The items below the headings of their columns, or a sentence when there are none. */
export function tableOf<Item>(columns: readonly Column[], rowOf: (item: Item) => Row, none: string) {
  return (items: readonly Item[]): readonly TextLine[] => {
    if (items.length === 0) return [{ role: 'plain', text: none }]
    return textTable(columns, items.map(rowOf), tableWidth())
  }
}

/** At most `limit` items, and whether there are more. */
export async function takeItems<Name extends Listed>(
  api: ServerApi,
  name: Name,
  request: ListRequest<Name>,
  limit: number,
): Promise<{ readonly items: readonly ItemOf<Name>[]; readonly isCut: boolean }> {
  const items: ItemOf<Name>[] = []
  for await (const item of api.list(name, request, limit + 1)) items.push(item)
  return { items: items.slice(0, limit), isCut: items.length > limit }
}

/** A whole number from 1, or `all`. */
function readLimit(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new CommandFailed(`--limit is ${text}: write a number from 1, or all.`, EXIT.usage)
}
