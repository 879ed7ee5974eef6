import { Command } from 'commander'
import type { PriceListHead } from '../../api/price-lists.ts'
import { priceListTable } from '../../core/present/price-list-table.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import { type Column, textTable } from '../../core/present/text-table.ts'
import { readListVersion } from '../client/read-terms.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import type { SetExitCode } from '../terminal/command-failed.ts'
import { examples } from '../terminal/help-text.ts'
import { print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'
import { checkCommand } from './price-lists-check.ts'
import { diffCommand } from './price-lists-diff.ts'
import { publishCommand } from './price-lists-publish.ts'

interface JsonOptions extends ServerOptions {
  readonly json?: true
}

/** `price-lists`: what some accounts pay instead of the public prices. */
export function priceListsCommand(setExitCode: SetExitCode): Command {
  return new Command('price-lists')
    .summary('check, publish, show and compare price lists')
    .description('A price list has the prices that some accounts pay instead of the public ones.')
    .addCommand(checkCommand(setExitCode))
    .addCommand(publishCommand(setExitCode))
    .addCommand(showCommand())
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(diffCommand())
}

function listCommand(): Command {
  const command = new Command('list')
    .description('Lists the newest version of each price list, by name.')
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing price-lists list', 'which lists are there?']))
    .action(async ({ json, ...server }: JsonOptions) => {
      const answer = await makeApi(serverAddress(server)).json('GET /v1/price-lists', {})
      if (json) return printJson(answer)
      if (answer.items.length === 0) return print('No price lists.')
      printLines(textTable(COLUMNS, answer.items.map(rowOf), tableWidth()))
    })
}

const COLUMNS: readonly Column[] = [
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'Version', align: 'right' },
  { heading: 'Published, UTC', align: 'left' },
  { heading: 'By', align: 'left', shrinks: true },
  { heading: 'Digest', align: 'left', drops: 1 },
]

function rowOf({ name, version, publishedAt, publishedBy, digest }: PriceListHead) {
  const cells = [
    safeText(name),
    String(version),
    readableTime(publishedAt),
    safeText(publishedBy),
    digest.slice(0, 12),
  ]
  return { cells }
}

function showCommand(): Command {
  const command = new Command('show')
    .summary('print a price list')
    .description('Prints the newest version of a price list: discount, minimum, and each price that it has.')
    .argument('<name>', 'the name of the list')
    .option('--json', 'print the answer of the API; its member list can be published again')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing price-lists show partners', 'what do they pay?']))
    .action(async (name: string, { json, ...server }: JsonOptions) => {
      const { view, list, book } = await readListVersion(makeApi(serverAddress(server)), name)
      if (json) return printJson(view)
      printLines(priceListTable(list, book, tableWidth()))
      print(
        `Price list ${safeText(view.name)}, published with version ${view.version} of ${readableTime(view.publishedAt)} UTC.`,
      )
    })
}
