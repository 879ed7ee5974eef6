import { Command } from 'commander'
import type { RefusalCount, RefusedEvent } from '../../api/unbilled.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'

interface RefusedOptions extends ListOptions {
  readonly account?: string
  readonly counts?: true
}

const NONE = 'Nothing was refused.'

/** `refused`: what was not accepted, and why. */
export function refusedCommand(): Command {
  const command = new Command('refused')
    .summary('list events that were rejected, or in conflict with another')
    .description(
      prose(`Lists what was not accepted, newest first, with the reason and what to do. Equal ones are listed once, and a
        hundred examples of each kind are kept in an hour; --json also has the beginning of what was sent. With --counts it
        says how often what was refused since the beginning.`),
    )
    .option('--account <account>', 'only events of this account')
    .option('--counts', 'how often, by account, source and code')
  return withListOptions(command, 'event')
    .addHelpText(
      'after',
      examples(
        ['farthing refused --limit 20', 'what went wrong lately?'],
        ['farthing refused --counts --account acme', 'how much of what acme sends is refused, and why?'],
      ),
    )
    .action(({ account, counts, ...options }: RefusedOptions) =>
      counts
        ? printList(
            options,
            'GET /v1/refused-events/counts',
            { query: { account } },
            tableOf(COUNTS, countRow, NONE),
          )
        : printList(options, 'GET /v1/refused-events', { query: { account } }, tableOf(COLUMNS, rowOf, NONE)),
    )
}

const COLUMNS = [
  { heading: 'Last, UTC', align: 'left' },
  { heading: 'Times', align: 'right' },
  { heading: 'Outcome', align: 'left' },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Event', align: 'left', shrinks: true },
  { heading: 'Why', align: 'left', wraps: true },
] as const

const COUNTS = [
  { heading: 'Last, UTC', align: 'left' },
  { heading: 'Times', align: 'right' },
  { heading: 'Outcome', align: 'left' },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Source', align: 'left', shrinks: true },
  { heading: 'Code', align: 'left' },
] as const

function rowOf({ lastAt, times, outcome, account, id, detail }: RefusedEvent) {
  return {
    cells: [
      readableTime(lastAt),
      readableNumber(String(times)),
      outcome,
      ...[account, id].map((name) => safeText(name ?? '')),
      safeText(detail),
    ],
  }
}

function countRow({ lastAt, times, outcome, account, source, code }: RefusalCount) {
  return {
    cells: [
      readableTime(lastAt),
      readableNumber(String(times)),
      outcome,
      ...[account, source].map((name) => safeText(name ?? '')),
      code,
    ],
  }
}
