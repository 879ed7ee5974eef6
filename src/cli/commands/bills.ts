import { Command } from 'commander'
import { componentsOf } from '../../core/present/bill-components.ts'
import { billsTable } from '../../core/present/bills-table.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, withListOptions } from '../client/print-list.ts'
import { readVersion } from '../client/read-terms.ts'
import { billCommand } from './bill.ts'
import { withRange } from '../terminal/time-option.ts'
import { tableWidth } from '../terminal/terminal.ts'

interface BillsOptions extends ListOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
}

/** `bills`: hourly bills, and one in full. */
export function billsCommand(): Command {
  return new Command('bills')
    .summary('list and print bills')
    .description('Hourly bills: all of them in a list, or one in full.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(billCommand('show'))
}

function listCommand(): Command {
  const command = new Command('list')
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
        ['farthing bills list --account acme --from 2025-07-28 --to 2025-07-29', 'the bills of one day'],
        ['farthing bills list --account acme --json', 'every bill, for programs'],
      ),
    )
    .action(({ account, from, to, ...options }: BillsOptions) =>
      printList(options, 'GET /v1/bills', { query: { account, from, to } }, async (bills, api) => {
        const sold = bills.length > 0 ? componentsOf((await readVersion(api)).book) : undefined
        return billsTable(bills, { sold, widthMax: tableWidth() })
      }),
    )
}
