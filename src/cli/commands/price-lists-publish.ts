import { Command } from 'commander'
import type { PublishedPriceList } from '../../api/price-lists.ts'
import { priceListChangesTable } from '../../core/present/price-list-changes.ts'
import { countOf, readableTime } from '../../core/present/readable-text.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { nameOfFile, readBytes } from '../terminal/read-file.ts'
import { print, printJson, printLines, tableWidth } from '../terminal/terminal.ts'
import { readVersionNumber } from './price-book-publish.ts'

interface PublishOptions extends ServerOptions {
  readonly dryRun?: true
  readonly basedOn?: number
  readonly json?: true
}

/** `price-lists publish`: part of a new version of the prices. */
export function publishCommand(setExitCode: SetExitCode): Command {
  const command = new Command('publish')
    .summary('publish a price list file')
    .description(
      prose(`Compares a price list with its newest version, prints what changes, and publishes it as part of the next
        version of the prices. Nothing may change for an hour that has begun: what would is printed as file:line:column,
        and nothing is published. Exit code 1 then.`),
    )
    .argument('<name>', 'the name of the list')
    .argument('<file>', 'the price list, YAML; - is standard input')
    .option('--dry-run', 'publish nothing: only print what would change')
    .option('--based-on <version>', 'refuse if another version than this is the newest', readVersionNumber)
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing price-lists publish partners partners.yaml --dry-run', 'what would it change?'],
        ['farthing price-lists publish partners partners.yaml', 'change it'],
      ),
    )
    .action((name: string, file: string, options: PublishOptions) =>
      publish(name, file, options, setExitCode),
    )
}

async function publish(
  name: string,
  path: string,
  { dryRun, basedOn, json, ...server }: PublishOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const body = readBytes(path, 'price list')
  const api = makeApi(serverAddress(server))
  const send = (query: { readonly dryRun?: 'true'; readonly basedOn: number | undefined }) =>
    api.json('POST /v1/price-lists/:name', {
      params: { name },
      query,
      headers: { 'content-type': 'application/yaml' },
      body,
    })
  const compared = await send({ dryRun: 'true', basedOn })
  const isRefused = compared.violations.length > 0
  if (isRefused) setExitCode(EXIT.failed)
  // Based on the version that it was compared with: what somebody else publishes in between is not undone.
  const isWanted = !dryRun && !isRefused && compared.version !== compared.basedOn
  const answer = isWanted ? await send({ basedOn: compared.basedOn }) : compared
  if (json) return printJson(answer)
  sayPublished(nameOfFile(path), answer)
}

function sayPublished(file: string, answer: PublishedPriceList): void {
  const { name, version, basedOn, published, changes, violations, firstOpenHour } = answer
  for (const { line, column, message, fix } of violations) {
    print(`${file}:${line}:${column}: ${message.replace(/\.$/, '')} — ${fix}`)
  }
  printLines(priceListChangesTable(changes, tableWidth()))
  const count = countOf(changes.length, 'change')
  if (violations.length > 0) {
    const what = countOf(violations.length, 'change')
    const from = readableTime(firstOpenHour)
    return print(
      `Not published: ${what} of hours that have begun. The list may change from ${from} UTC on.`,
      'red',
    )
  }
  if (version === basedOn) return print(`Price list ${name} says the same already: nothing to publish.`)
  if (published) return print(`Published ${name} with version ${version} of the prices: ${count}.`, 'green')
  print(`${file} would be part of version ${version} of the prices: ${count}. Nothing is published.`)
}
