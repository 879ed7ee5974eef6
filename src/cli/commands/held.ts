import { Command } from 'commander'
import type { HeldEvent, HeldGroup } from '../../api/unbilled.ts'
import { heldLack } from '../../core/present/held-advice.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import type { TextLine } from '../../core/present/text-table.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'

interface HeldOptions extends ListOptions {
  readonly account?: string
  readonly events?: true
}

/** `held`: usage that waits for a price. */
export function heldCommand(): Command {
  const command = new Command('held')
    .summary('list usage that cannot be priced yet')
    .description(
      prose(`Lists held usage by what is missing, such as an operation, an event type, or a price, and says what to
        do. It is kept whole, and billed at the price of its own hour once a price book that covers it is published.`),
    )
    .option('--account <account>', 'only usage of this account')
    .option('--events', 'list the events one by one')
  return withListOptions(command, 'reason or event')
    .addHelpText(
      'after',
      examples(
        ['farthing held', 'what does the price book lack?'],
        ['farthing held --events --account acme', 'which events are they?'],
      ),
    )
    .action(({ account, events, ...options }: HeldOptions) =>
      events
        ? printList(
            options,
            'GET /v1/held-events/events',
            { query: { account } },
            tableOf(EVENT_COLUMNS, eventRow, NONE),
          )
        : printList(options, 'GET /v1/held-events', { query: { account } }, groupsTable),
    )
}

const NONE = 'Nothing is held.'

/** The groups, and below them what to do about each reason that is among them. */
function groupsTable(groups: readonly HeldGroup[]): readonly TextLine[] {
  const advice = new Map(groups.map((group) => [heldLack(group.code), group.advice]))
  return [
    ...tableOf(GROUP_COLUMNS, groupRow, NONE)(groups),
    ...[...advice].map(([lack, text]): TextLine => ({
      role: 'note',
      text: `Missing ${lack}: ${safeText(text)}`,
    })),
  ]
}

const GROUP_COLUMNS = [
  { heading: 'Missing', align: 'left' },
  { heading: 'Which', align: 'left', shrinks: true },
  { heading: 'Events', align: 'right' },
  { heading: 'Accounts', align: 'right' },
  { heading: 'First hour, UTC', align: 'left' },
  { heading: 'Last hour, UTC', align: 'left', drops: 1 },
] as const

function groupRow({ code, subject, events, accounts, firstHour, lastHour }: HeldGroup) {
  const counts = [events, accounts].map((count) => readableNumber(String(count)))
  return {
    cells: [heldLack(code), safeText(subject), ...counts, ...[firstHour, lastHour].map(readableTime)],
  }
}

const EVENT_COLUMNS = [
  { heading: 'Hour, UTC', align: 'left' },
  { heading: 'Missing', align: 'left' },
  { heading: 'Which', align: 'left', shrinks: true },
  { heading: 'Account', align: 'left', shrinks: true },
  { heading: 'Source', align: 'left', shrinks: true, drops: 1 },
  { heading: 'Event', align: 'left', shrinks: true },
] as const

function eventRow({ account, id, source, hour, code, subject }: HeldEvent) {
  return { cells: [readableTime(hour), heldLack(code), ...[subject, account, source, id].map(safeText)] }
}
