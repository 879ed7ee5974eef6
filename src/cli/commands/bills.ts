import { Command } from 'commander'
import { componentsOf } from '../../core/present/bill-components.ts'
import { billsTable } from '../../core/present/bills-table.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, withListOptions } from '../client/print-list.ts'
import { readVersion } from '../client/read-terms.ts'
import { withRange } from '../terminal/time-option.ts'
import { tableWidth } from '../terminal/terminal.ts'

interface BillsOptions extends ListOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
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
  return withListOptions(withRange(command, 'cycles'), 'bill')
    .addHelpText(
      'after',
      examples(
        ['farthing bills --account acme --from 2025-07-28 --to 2025-07-29', 'the bills of one day'],
        ['farthing bills --account acme --json', 'every bill, for programs'],
      ),
    )
    .action(({ account, from, to, ...options }: BillsOptions) =>
      printList(options, 'GET /v1/bills', { query: { account, from, to } }, async (bills, api) => {
        const sold = bills.length > 0 ? componentsOf((await readVersion(api)).book) : undefined
        return billsTable(bills, { sold, widthMax: tableWidth() })
      }),
    )
}
