import { Command } from 'commander'
import { billsTable, type ListedBill } from '../core/present/bills-table.ts'
import { examples, prose } from './help-text.ts'
import { CUT_NOTE, LIMIT, printItems, readLimit, takeItems } from './print-list.ts'
import { makeApi } from './server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from './server-address.ts'
import { printLines, say, tableWidth } from './terminal.ts'

interface BillsOptions extends ServerOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: string
  readonly json?: true
}

/** `bills`: one line for each hourly bill. */
export function billsCommand(): Command {
  const command = new Command('bills')
    .summary('list bills')
    .description(
      prose(`Lists hourly bills, oldest first, with the exact total of each and of all that are listed. Times are UTC;
        a cycle belongs to the list if it starts in [from, to).`),
    )
    .option('--account <account>', 'only bills of this account')
    .option('--from <time>', 'cycles that start then or later: 2025-07-28, 2025-07-28T03Z or RFC 3339')
    .option('--to <time>', 'cycles that start before then')
    .option('--limit <number>', `at most so many bills, or all (default: ${LIMIT})`)
    .option('--json', 'print each bill as the API has it, one a line (NDJSON)')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing bills --account acme --from 2025-07-28 --to 2025-07-29', 'the bills of one day'],
        ['farthing bills --account acme --limit all --json', 'every bill, for programs'],
      ),
    )
    .action(bills)
}

async function bills({ account, from, to, json, ...options }: BillsOptions): Promise<void> {
  const limit = options.limit === undefined ? LIMIT : readLimit(options.limit)
  const api = makeApi(serverAddress(options))
  const query = { account, from, to }
  if (json) {
    const most = options.limit === undefined ? Number.POSITIVE_INFINITY : limit
    return printItems(api.list('/v1/bills', query, most))
  }
  const { items, isCut } = await takeItems(api.list<ListedBill>('/v1/bills', query, limit + 1), limit)
  printLines(billsTable(items, tableWidth()))
  if (isCut) say(CUT_NOTE)
}
