import { Command } from 'commander'
import { billTable } from '../../core/present/bill-table.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { readTerms } from '../client/read-terms.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { printLines, tableWidth } from '../terminal/terminal.ts'

interface BillOptions extends ServerOptions {
  readonly verbose?: boolean
  readonly json?: true
}

/** `bills show`, or for short `bill`: one bill in full. */
export function billCommand(name: 'show' | 'bill'): Command {
  const command = new Command(name)
    .summary('print a bill')
    .description(
      prose(`Prints a bill with its lines and totals. Every line reads quantity × unit price = amount, exact to the
        last digit; what was counted and not billed is said below it.`),
    )
    .argument('<bill>', 'its id, as `farthing bills` lists it')
    .option('--verbose', 'also stored data in base units, and digests in full')
    .option('--json', 'print the bill as the API has it')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(['farthing bills show 2025-07-28T03Z.acme', "acme's bill for 03:00 to 04:00 UTC"]),
    )
    .action(bill)
}

async function bill(id: string, { verbose = false, json, ...options }: BillOptions): Promise<void> {
  const api = makeApi(serverAddress(options))
  const request = { params: { id } }
  if (json) {
    process.stdout.write(`${(await api.text('GET /v1/bills/:id', request)).trimEnd()}\n`)
    return
  }
  const view = await api.json('GET /v1/bills/:id', request)
  const rules = await readTerms(api, view.lines)
  printLines(billTable(view, { verbose, ...rules, widthMax: tableWidth() }))
}
