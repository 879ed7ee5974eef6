import { Command } from 'commander'
import type { Void } from '../../api/voids.ts'
import { readableTime, safeText } from '../../core/present/readable-text.ts'
import type { SetExitCode } from '../terminal/command-failed.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { voidCommand } from './void.ts'
import { withRange } from '../terminal/time-option.ts'

interface VoidsOptions extends ListOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
}

/** `voids`: what was voided, and the order to do so. */
export function voidsCommand(setExitCode: SetExitCode): Command {
  return new Command('voids')
    .summary('void usage, and list what was voided')
    .description('Void usage that should not have been sent, or list what was voided.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(voidCommand('create', setExitCode))
}

function listCommand(): Command {
  const command = new Command('list')
    .summary('list usage that was voided')
    .description(
      prose(`Lists usage that was voided, by the hour in which it happened: by whom and why, whether a bill
        gives it back, and which one.`),
    )
    .option('--account <account>', 'only usage of this account')
  return withListOptions(withRange(command, 'hours of usage'), 'event')
    .addHelpText(
      'after',
      examples(['farthing voids list --account acme --from 2025-07-28', 'what was voided, since when?']),
    )
    .action(({ account, from, to, ...options }: VoidsOptions) =>
      printList(
        options,
        'GET /v1/voids',
        { query: { account, from, to } },
        tableOf(COLUMNS, rowOf, 'Nothing was voided.'),
      ),
    )
}

const COLUMNS = [
  { heading: 'Hour, UTC', align: 'left' },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Source', align: 'left', shrinks: true, drops: 3 },
  { heading: 'Event', align: 'left', shrinks: true },
  { heading: 'Effect', align: 'left', wraps: true },
  { heading: 'Ordered, UTC', align: 'left', drops: 2 },
  { heading: 'By', align: 'left', drops: 1 },
  { heading: 'Reason', align: 'left', wraps: true },
] as const

function rowOf(row: Void) {
  const names = [row.account, row.source, row.id].map(safeText)
  const ordered = [readableTime(row.orderedAt), safeText(row.orderedBy), safeText(row.reason)]
  return { cells: [readableTime(row.hour), ...names, effectOf(row), ...ordered] }
}

function effectOf({ effect, bill }: Void): string {
  if (effect === 'left_out') return 'on no bill'
  if (effect !== 'given_back') return 'was on no bill'
  return bill === null ? 'to be given back' : `given back: ${bill}`
}
