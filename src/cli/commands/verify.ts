import { Command } from 'commander'
import type { SetExitCode } from '../terminal/command-failed.ts'
import type { VerifyOptions } from './verify-bills.ts'
import { examples, prose } from '../terminal/help-text.ts'
import type { ReadOwnSettings } from '../own-database.ts'
import { withRange } from '../terminal/time-option.ts'

/** `verify`: make every bill again from its facts. */
export function verifyCommand(readSettings: ReadOwnSettings, setExitCode: SetExitCode): Command {
  const command = new Command('verify')
    .summary('compute every bill again from its events, and name whatever differs')
    .description(
      prose(`Recomputes bills from the events behind them, digit for digit, and checks digests, prices and the chain
        of each account's bills. Reads the database itself, beside a running server or without one, and changes
        nothing. Exit code 1 if anything differs, 5 if the log of the checkpoint was continued under another name.`),
    )
    .option('--account <account>', 'only bills of this account')
    .option('--checkpoint <file>', 'also hold the log against this checkpoint, which you have kept')
  return withRange(command, 'cycles')
    .option('--json', 'print each difference as {"place", "detail"}, one a line (NDJSON)')
    .addHelpText(
      'after',
      examples(
        ['farthing verify', 'is everything that was ever billed right?'],
        ['farthing verify --checkpoint kept.json', 'is the log what it was, and all that it covers?'],
        ['farthing verify --account acme --from 2025-07-28 --to 2025-07-29', 'one day of one account'],
      ),
    )
    .action(async (options: VerifyOptions) => {
      // Loaded when it is needed: most commands have nothing to do with the database.
      const { verifyBills } = await import('./verify-bills.ts')
      await verifyBills(options, readSettings, setExitCode)
    })
}
