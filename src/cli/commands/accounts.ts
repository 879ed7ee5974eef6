import { Command } from 'commander'
import type { Account } from '../../api/accounts.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { ApiRefused, makeApi, type ServerApi } from '../client/server-api.ts'
import { printJson, printLines } from '../terminal/terminal.ts'
import { showCommand } from './accounts-show.ts'
import { readTime, TIME_HELP } from '../terminal/time-option.ts'

interface SetOptions extends ServerOptions {
  readonly json?: true
  readonly name?: string
  readonly timeZone?: string
  readonly tag?: readonly string[]
  readonly close?: string
  readonly open?: true
  readonly priceList?: string
  readonly priceListFrom?: string
  readonly dropPriceList?: string
}

/** `accounts`: who pays. */
export function accountsCommand(): Command {
  return new Command('accounts')
    .summary('list, show, describe, close and open accounts')
    .description('An account is who pays. It needs no description to be billed.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(setCommand())
}

function listCommand(): Command {
  return withListOptions(
    new Command('list').description('Lists accounts that are known or were billed, by name.'),
    'account',
  )
    .addHelpText('after', examples(['farthing accounts list', 'who is there?']))
    .action((options: ListOptions) => printList(options, 'GET /v1/accounts', {}, showAccounts))
}

function setCommand(): Command {
  const command = new Command('set')
    .description(
      prose(`Makes an account known, and changes what is said about it. What is left out stays as it is; '' takes a name
        away. Usage from the instant of --close on is refused, and nothing that the account stores counts any more; what
        it used before is billed.`),
    )
    .argument('<account>', 'the subject of its events')
    .option('--name <name>', 'a name for people')
    .option('--time-zone <zone>', 'an IANA name such as Europe/Paris: whose months its statements have')
    .option('--tag <name=value>', 'a tag, as often as needed; they replace all that there are', collect)
    .option('--close <time>', `close it at this time: now, or ${TIME_HELP}`, readTime)
    .option('--open', 'open it again')
    .option('--price-list <name>', "pay by this price list; '' for the public prices")
    .option('--price-list-from <time>', `from this hour on, the next one unless told: ${TIME_HELP}`, readTime)
    .option(
      '--drop-price-list <time>',
      'remove the entry that begins at this hour, if it has not begun',
      readTime,
    )
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing accounts set acme --name "Acme Ltd." --time-zone Europe/Paris', 'describes it'],
        ['farthing accounts set acme --price-list partners', 'pays by it from the next hour on'],
        ['farthing accounts set acme --close now', 'takes no more usage of it'],
      ),
    )
    .action(set)
}

async function set(account: string, options: SetOptions): Promise<void> {
  const { json, name, timeZone, tag, close, open, priceList, priceListFrom, dropPriceList, ...server } =
    options
  const lists = { list: priceList, from: priceListFrom, drop: dropPriceList }
  if (priceList === undefined && priceListFrom !== undefined) {
    throw new CommandFailed('--price-list-from needs --price-list: write the list too.', EXIT.usage)
  }
  if (close !== undefined && open) {
    throw new CommandFailed('--close and --open exclude each other: write one of them.', EXIT.usage)
  }
  const closed = open ? null : close
  const tags = tag && Object.fromEntries(tag.map(readTag))
  const api = makeApi(serverAddress(server))
  const priceLists = await changedLists(api, account, lists)
  const view = await api.json('PUT /v1/accounts/:account', {
    params: { account },
    json: { name: name === '' ? null : name, timeZone, tags, closed, ...(priceLists ? { priceLists } : {}) },
  })
  if (json) printJson(view)
  else printLines(showAccounts([view]))
}

interface ListChange {
  /** Undefined: none is added; empty: the public prices. */
  readonly list: string | undefined
  readonly from: string | undefined
  /** The hour of an entry that is taken away. */
  readonly drop: string | undefined
}

/** All entries of the account, as they are to be: what has begun is repeated. Undefined: they stay as they are. */
async function changedLists(api: ServerApi, account: string, { list, from, drop }: ListChange) {
  if (list === undefined && drop === undefined) return undefined
  const before = await listsOf(api, account)
  if (drop !== undefined && !before.some((entry) => isAt(entry, drop))) {
    throw new CommandFailed(
      `No price list of ${safeText(account)} begins at ${readableTime(drop)} UTC: see farthing accounts show.`,
    )
  }
  const kept = before.filter((entry) => !isAt(entry, drop) && !isAt(entry, from))
  if (list === undefined) return kept
  const added = list === '' ? null : list
  return [...kept, from === undefined ? { list: added } : { list: added, from }]
}

function isAt(entry: { readonly from: string }, time: string | undefined): boolean {
  return time !== undefined && Date.parse(entry.from) === Date.parse(time)
}

async function listsOf(api: ServerApi, account: string): Promise<Account['priceLists']> {
  try {
    return (await api.json('GET /v1/accounts/:account', { params: { account } })).priceLists
  } catch (error) {
    if (error instanceof ApiRefused && error.code === 'account/not_found') return []
    throw error
  }
}

function readTag(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new CommandFailed(`--tag is ${safeText(text)}: write it as name=value.`, EXIT.usage)
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

const COLUMNS = [
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Name', align: 'left', shrinks: true },
  { heading: 'Time zone', align: 'left' },
  { heading: 'Closed, UTC', align: 'left' },
  { heading: 'Tags', align: 'left', wraps: true },
] as const

const showAccounts = tableOf(COLUMNS, rowOf, 'No accounts.')

function rowOf({ account, name, timeZone, closed, tags }: Account) {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)
  const names = [account, name ?? '', timeZone].map(safeText)
  return { cells: [...names, closed === null ? '' : readableTime(closed), safeText(pairs.join(' '))] }
}
