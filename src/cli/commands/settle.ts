import { Command } from 'commander'
import type { SettleOptions } from './settle-due.ts'
import { examples, prose } from '../terminal/help-text.ts'
import type { ReadOwnSettings } from '../own-database.ts'

/** `settle`: issue all bills that are due. */
export function settleCommand(readSettings: ReadOwnSettings): Command {
  return new Command('settle')
    .summary('issue all bills that are due, as the server does by itself')
    .description(
      prose(`Seals and settles every hour that is due, in the database itself, beside a running server or without
        one. Hours that last still keep their grace. Running it twice, or at once with the server, changes nothing.`),
    )
    .option('--now', 'do not wait until past hours that got usage were quiet for a while')
    .option(
      '--clock-is-right',
      'the database clock was checked after a clock alarm: close the alarm and seal hours again',
    )
    .option('--json', 'print {"hours", "sealing", "setAside"}')
    .addHelpText(
      'after',
      examples(
        ['farthing settle --now', 'bill all that was imported'],
        ['farthing settle --clock-is-right', 'after /readyz says that sealing has stopped'],
      ),
    )
    .action(async (options: SettleOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { settle } = await import('./settle-due.ts')
      await settle(options, readSettings)
    })
}
