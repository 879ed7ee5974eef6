import { Command } from 'commander'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import type { Column } from '../../core/present/text-table.ts'
import { SCOPES } from '../../flows/keys/key-scopes.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { apiPath, makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { readTime } from '../terminal/time-option.ts'
import { say } from '../terminal/terminal.ts'

interface KeyView {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly account: string | null
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
}

interface CreateOptions extends ServerOptions {
  readonly json?: true
  readonly scope: readonly string[]
  readonly account?: string
  readonly expires?: string
}

/** `keys`: who may use the API. */
export function keysCommand(): Command {
  return new Command('keys')
    .summary('list, make and revoke keys')
    .description('Keys say who may use the API, for what, and for which account.')
    .addCommand(listCommand())
    .addCommand(createCommand())
    .addCommand(revokeCommand())
}

function listCommand(): Command {
  return withListOptions(
    new Command('list').description('Lists keys in the order in which they were made.'),
    'key',
  )
    .addHelpText('after', examples(['farthing keys list', 'all keys; never the secrets']))
    .action((options: ListOptions) => printList(options, '/v1/keys', {}, tableOf(COLUMNS, rowOf, 'No keys.')))
}

function createCommand(): Command {
  const command = new Command('create')
    .description(prose('Makes a key and prints it. It is shown this once: only its SHA-256 is stored.'))
    .argument('<name>', 'what it is for')
    .requiredOption('--scope <scope>', `what it allows, as often as needed: ${SCOPES.join(', ')}`, collect)
    .option('--account <account>', 'the only account that it sees and sends for')
    .option('--expires <time>', 'when it ends: 2030-01-01, or RFC 3339', readTime)
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing keys create collector --scope usage:write --account acme', "sends acme's usage"]),
    )
    .action(create)
}

function revokeCommand(): Command {
  const command = new Command('revoke')
    .description('Revokes a key: it is refused from then on.')
    .argument('<key>', 'its id, as `farthing keys list` shows it')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing keys revoke 4x7k2m9qwb', 'ends one key']))
    .action(async (id: string, options: ServerOptions) => {
      await makeApi(serverAddress(options)).text(apiPath('v1', 'keys', id), { method: 'DELETE' })
      say(`The key ${safeText(id)} is revoked.`, 'green')
    })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',')]
}

const COLUMNS: readonly Column[] = [
  { heading: 'Key', align: 'left' },
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'Scopes', align: 'left', shrinks: true },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Made, UTC', align: 'left' },
  { heading: 'Ends, UTC', align: 'left' },
]

function rowOf({ id, name, scopes, account, createdAt, expiresAt, revokedAt }: KeyView) {
  const ends = expiresAt === null ? 'never' : readableTime(expiresAt)
  const names = [id, safeText(name), scopes.join(' '), safeText(account ?? 'all')]
  return {
    cells: [
      ...names,
      readableTime(createdAt),
      revokedAt === null ? ends : `revoked ${readableTime(revokedAt)}`,
    ],
  }
}

async function create(
  name: string,
  { scope, account, expires, json, ...options }: CreateOptions,
): Promise<void> {
  const unknown = scope.find((part) => !(SCOPES as readonly string[]).includes(part))
  if (unknown !== undefined) {
    throw new CommandFailed(`${unknown} is no scope: write some of ${SCOPES.join(', ')}.`, EXIT.usage)
  }
  const request = { name, scopes: scope, account: account ?? null, expiresAt: expires ?? null }
  const text = await makeApi(serverAddress(options)).text('/v1/keys', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  if (json) {
    process.stdout.write(`${text.trimEnd()}\n`)
    return
  }
  const { id, key } = JSON.parse(text) as { readonly id: string; readonly key: string }
  process.stdout.write(`${key}\n`)
  say(`This is the key ${id}, shown this once: keep it now.`)
}
