import { Command } from 'commander'
import type { ShownKey } from '../../api/keys.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import type { Column } from '../../core/present/text-table.ts'
import { type Scope, SCOPES } from '../../flows/keys/key-scopes.ts'
import type { ReadOwnSettings } from '../own-database.ts'
import type { RescueOptions } from './rescue-key.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { readTime } from '../terminal/time-option.ts'
import { print, printJson, remark } from '../terminal/terminal.ts'

interface CreateOptions extends ServerOptions {
  readonly json?: true
  readonly scope: readonly string[]
  readonly account?: string
  readonly expires?: string
}

/** `keys`: who may use the API. */
export function keysCommand(readSettings: ReadOwnSettings): Command {
  return new Command('keys')
    .summary('list, make, revoke and rescue keys')
    .description('Keys say who may use the API, for what, and for which account.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(createCommand())
    .addCommand(revokeCommand())
    .addCommand(rescueCommand(readSettings))
}

function listCommand(): Command {
  return withListOptions(
    new Command('list').description('Lists keys in the order in which they were made.'),
    'key',
  )
    .addHelpText('after', examples(['farthing keys list', 'all keys; never the secrets']))
    .action((options: ListOptions) =>
      printList(options, 'GET /v1/keys', {}, tableOf(COLUMNS, rowOf, 'No keys.')),
    )
}

function createCommand(): Command {
  const command = new Command('create')
    .description(prose('Makes a key and prints it. It is shown this once: only its SHA-256 is stored.'))
    .argument('<name>', 'what it is for')
    .requiredOption('--scope <scope>', `what it allows, as often as needed: ${SCOPES.join(', ')}`, collect)
    .option('--account <account>', 'the only account that it sees and sends for')
    .option('--expires <time>', 'when it ends: 2030-01, 2030-01-01 or RFC 3339', readTime)
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
    .addHelpText('after', examples(['farthing keys revoke key_4x7k2m9qwb0c', 'ends one key']))
    .action(async (id: string, options: ServerOptions) => {
      await makeApi(serverAddress(options)).text('DELETE /v1/keys/:id', { params: { id } })
      print(`The key ${safeText(id)} is revoked.`, 'green')
    })
}

function rescueCommand(readSettings: ReadOwnSettings): Command {
  return new Command('rescue')
    .description(
      prose(`Makes a new admin key when no valid one is left. It needs access to the database, not a key: run it where the
        server runs, with its settings. The key goes into the data directory, where commands on this machine find it, and
        the audit log has an entry. At a terminal the key is printed, elsewhere the path of its file.`),
    )
    .option('--json', 'print {"id", "adminKeyPath"}')
    .addHelpText('after', examples(['farthing keys rescue', 'a way back in']))
    .action(async (options: RescueOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { rescue } = await import('./rescue-key.ts')
      await rescue(options, readSettings)
    })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',')]
}

const COLUMNS: readonly Column[] = [
  { heading: 'Key', align: 'left' },
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'Scopes', align: 'left', wraps: true },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Made, UTC', align: 'left', drops: 1 },
  { heading: 'Ends, UTC', align: 'left' },
]

function rowOf({ id, name, scopes, account, createdAt, expiresAt, revokedAt }: ShownKey) {
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
  const made = await makeApi(serverAddress(options)).json('POST /v1/keys', {
    json: { name, scopes: readScopes(scope), account: account ?? null, expiresAt: expires ?? null },
  })
  if (json) return printJson(made)
  const { id, key } = made
  print(key)
  remark(`This is the key ${id}, shown this once: keep it now.`)
}

function readScopes(texts: readonly string[]): readonly Scope[] {
  return texts.map((text) => {
    const scope = SCOPES.find((one) => one === text)
    if (scope !== undefined) return scope
    throw new CommandFailed(`${text} is no scope: write some of ${SCOPES.join(', ')}.`, EXIT.usage)
  })
}
