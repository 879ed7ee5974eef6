import { type Command, InvalidArgumentError } from 'commander'
import { formatInstant, type Instant } from '../../core/time/instant.ts'
import { monthOf, parseRelativeTime, parseTime, TIME_FIX } from '../../core/time/time-forms.ts'
import { CommandFailed, EXIT } from './command-failed.ts'

/** What options take as a time, as help says it. docs/cli.md has the table. */
export const TIME_HELP = '2025-07, 2025-07-28, 2025-07-28T09Z, RFC 3339, today, -2h'

/** A time in any form that commands take, as RFC 3339. */
export function readTime(text: string): string {
  const at = parseRelativeTime(text, Date.now() as Instant) ?? parseTime(text)
  if (typeof at === 'number') return formatInstant(at)
  const what = { no_offset: 'It has no offset. ', not_a_date: 'The calendar has no such time. ' }
  const reason = at in what ? what[at as keyof typeof what] : ''
  throw new InvalidArgumentError(
    `${reason}Write ${TIME_FIX}; or now, today, yesterday, or -2h for two hours ago.`,
  )
}

interface RangeWords {
  readonly from: string
  readonly to: string
}

/** Adds `--from`, `--to` and `--month`, the range [from, to). What the command gets is `from` and `to`. */
export function withRange(command: Command, items: string | RangeWords): Command {
  const words =
    typeof items === 'string'
      ? { from: `${items} that start then or later`, to: `${items} that start before then` }
      : items
  return command
    .option('--from <time>', `${words.from}: ${TIME_HELP}`, readTime)
    .option('--to <time>', words.to, readTime)
    .option('--month <month>', 'both for a month of UTC: 2025-07', readMonth)
    .hook('preAction', (_, action) => applyRange(action))
}

interface Range {
  readonly from: string
  readonly to: string
}

function readMonth(text: string): Range {
  const month = monthOf(text)
  if (month) return { from: formatInstant(month.from), to: formatInstant(month.to) }
  throw new InvalidArgumentError('Write a month of the calendar such as 2025-07.')
}

function applyRange(command: Command): void {
  const { from, to, month } = command.opts<Partial<Range> & { readonly month?: Range }>()
  if (month && (from !== undefined || to !== undefined)) {
    throw new CommandFailed('--month says both --from and --to: leave these out.', EXIT.usage)
  }
  if (month) {
    command.setOptionValue('from', month.from)
    command.setOptionValue('to', month.to)
    command.setOptionValue('month', undefined)
    return
  }
  if (from === undefined || to === undefined || from < to) return
  const what = from === to ? `--from and --to are both ${from}` : `--to ${to} is before --from ${from}`
  throw new CommandFailed(
    `${what}, so nothing is between them: --to is the first instant that no longer belongs to the range, such as the day after the last one. --month 2025-07 is a whole month.`,
    EXIT.usage,
  )
}
