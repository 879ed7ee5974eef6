import { Command } from 'commander'
import { readableTime, safeText } from '../core/present/readable-text.ts'
import { examples, prose } from './help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from './print-list.ts'

interface RefusedOptions extends ListOptions {
  readonly account?: string
}

interface RefusedView {
  readonly receivedAt: string
  readonly outcome: string
  readonly account: string | null
  readonly id: string | null
  readonly detail: string
}

/** `refused`: what was not accepted, and why. */
export function refusedCommand(): Command {
  const command = new Command('refused')
    .summary('list events that were rejected, or in conflict with another')
    .description(
      prose(`Lists what was not accepted, newest first, with the reason and what to do. The newest are kept; --json
        also has the beginning of what was sent.`),
    )
    .option('--account <account>', 'only events of this account')
  return withListOptions(command, 'event')
    .addHelpText('after', examples(['farthing refused --limit 20', 'what went wrong lately?']))
    .action(({ account, ...options }: RefusedOptions) =>
      printList(options, '/v1/refused-events', { account }, tableOf(COLUMNS, rowOf, 'Nothing was refused.')),
    )
}

const COLUMNS = [
  { heading: 'Received, UTC', align: 'left' },
  { heading: 'Outcome', align: 'left' },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Event', align: 'left', shrinks: true },
  { heading: 'Why', align: 'left' },
] as const

function rowOf({ receivedAt, outcome, account, id, detail }: RefusedView) {
  return {
    cells: [
      readableTime(receivedAt),
      outcome,
      ...[account, id].map((name) => safeText(name ?? '')),
      safeText(detail),
    ],
  }
}
