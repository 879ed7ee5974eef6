import { Command } from 'commander'
import type { AccountDetail } from '../../api/accounts.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import type { TextLine } from '../../core/present/text-table.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { printJson, printLines } from '../terminal/terminal.ts'

interface ShowOptions extends ServerOptions {
  readonly json?: true
}

/** `accounts show`: one account, with what follows from its price lists. */
export function showCommand(): Command {
  const command = new Command('show')
    .summary('print one account')
    .description(
      prose(`Prints one account: its time zone, tags, price lists with the hours from which they hold, tiers that wait for
        its next month, and the minimum that is due for each month.`),
    )
    .argument('<account>', 'the subject of its events')
    .option('--json', 'print the answer of the API')
  return withServerOptions(command)
    .addHelpText('after', examples(['farthing accounts show acme', 'what do they pay by?']))
    .action(async (account: string, { json, ...server }: ShowOptions) => {
      const api = makeApi(serverAddress(server))
      const view = await api.json('GET /v1/accounts/:account', { params: { account } })
      if (json) return printJson(view)
      printLines(accountLines(view))
    })
}

function accountLines(view: AccountDetail): readonly TextLine[] {
  const { account, name, timeZone, timeZones, tags, closed, createdAt } = view
  const zones = timeZones.map((zone) => `${safeText(zone.timeZone)} from ${zone.fromMonth}`)
  const facts: readonly (readonly [string, string])[] = [
    ['Name', safeText(name ?? '')],
    ['Time zone', zones.length > 1 ? zones.join(', ') : safeText(timeZone)],
    ['Tags', safeText(pairs(tags))],
    ...listed('Price list', view.priceLists, ({ list, from }) => {
      return `${list === null ? 'the public prices' : safeText(list)} from ${readableTime(from)} UTC`
    }),
    ...listed('Waiting', view.waitingTiers, ({ item, rate, list, from, countsFrom }) => {
      const place = safeText(rate === 'default' ? item : `${item}/${rate}`)
      const whose = list === null ? 'the public tiers' : `the tiers of ${safeText(list)}`
      return `${place}: ${whose} of ${readableTime(from)} UTC count from the next month, ${readableTime(countsFrom)} UTC`
    }),
    ['Minimum', minimumOf(view)],
    ['Closed', closed === null ? '' : `at ${readableTime(closed)} UTC`],
    ['Known', createdAt === null ? 'by its usage alone' : `since ${readableTime(createdAt)} UTC`],
  ]
  const shown = facts.filter(([, value]) => value !== '')
  return [
    { role: 'title', text: safeText(account) },
    ...shown.map(([label, value]): TextLine => ({
      role: 'plain',
      text: `${label.padEnd(12)}${value}`,
      hang: 12,
    })),
  ]
}

function pairs(tags: AccountDetail['tags']): string {
  return Object.entries(tags)
    .map(([tag, value]) => `${tag}=${value}`)
    .join(' ')
}

/** One row each; the label stands on the first. */
function listed<Item>(
  label: string,
  items: readonly Item[],
  words: (item: Item) => string,
): readonly (readonly [string, string])[] {
  return items.map((item, at) => [at === 0 ? label : '', words(item)])
}

function minimumOf({ minimum }: AccountDetail): string {
  if (minimum === null) return ''
  const { amount, priceList, fromMonth } = minimum
  return `at least ${readableNumber(amount)} for each month from ${fromMonth} on, by ${safeText(priceList)}`
}
