import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import type { PriceListHead, PublishedPriceList } from '../../api/price-lists.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import { type Column, textTable } from '../../core/present/text-table.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'

interface JsonOptions extends ServerOptions {
  readonly json?: true
}

interface PublishOptions extends JsonOptions {
  readonly dryRun?: true
}

/** `price-lists`: what some accounts pay instead of the public prices. */
export function priceListsCommand(setExitCode: SetExitCode): Command {
  return new Command('price-lists')
    .summary('list, show and publish price lists')
    .description('A price list has the prices that some accounts pay instead of the public ones.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(publishCommand(setExitCode))
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
    .description('Prints the newest version of a price list, as JSON, which can be published again.')
    .argument('<name>', 'the name of the list')
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing price-lists show partners', 'what do they pay?']))
    .action(async (name: string, { json, ...server }: JsonOptions) => {
      const found = await makeApi(serverAddress(server)).json('GET /v1/price-lists/:name', {
        params: { name },
      })
      printJson(json ? found : found.list)
    })
}

function publishCommand(setExitCode: SetExitCode): Command {
  const command = new Command('publish')
    .summary('publish a price list file')
    .description(
      prose(`Publishes a price list as part of the next version of the prices. Nothing may change for an hour that has
        begun: what would is printed as file:line:column, and nothing is published. Exit code 1 then.`),
    )
    .argument('<name>', 'the name of the list')
    .argument('<file>', 'the price list, YAML')
    .option('--dry-run', 'publish nothing: only print what stands against it')
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing price-lists publish partners partners.yaml --dry-run', 'may it be published?']),
    )
    .action(async (name: string, file: string, options: PublishOptions) => {
      const { dryRun, json, ...server } = options
      const published = await makeApi(serverAddress(server)).json('POST /v1/price-lists/:name', {
        params: { name },
        query: dryRun ? { dryRun: 'true' } : {},
        headers: { 'content-type': 'application/yaml' },
        body: readSource(file),
      })
      if (published.violations.length > 0) setExitCode(EXIT.failed)
      if (json) return printJson(published)
      sayPublished(file, published)
    })
}

function readSource(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read (${(error as Error).message}): name a price list file.`)
  }
}

function sayPublished(file: string, { name, version, published, violations }: PublishedPriceList): void {
  for (const { line, column, message, fix } of violations) {
    print(`${file}:${line}:${column}: ${message.replace(/\.$/, '')} — ${fix}`)
  }
  if (violations.length > 0) return
  if (published) print(`Published ${name} with version ${version} of the prices.`)
  else print(`Nothing was published: ${name} would be part of version ${version}, or says the same already.`)
}
