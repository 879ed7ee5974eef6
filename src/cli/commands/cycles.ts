import { Command } from 'commander'
import type { Cycle } from '../../api/cycles.ts'
import { readableNumber, readableTime } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { withRange } from '../terminal/time-option.ts'

interface CyclesOptions extends ListOptions {
  readonly from?: string
  readonly to?: string
}

/** `cycles`: which hours are sealed and settled. */
export function cyclesCommand(): Command {
  const command = new Command('cycles')
    .summary('list hours: which are sealed, and which have their bills')
    .description(
      prose(`Lists the hours since the first start, newest first. An open hour takes usage; the usage of a sealed one
        can no longer change; a settled one has its bills. The lag runs from the end of the hour to its last bill: an
        hour whose lag is more than one hour is late, and one without bills is in danger after 30 minutes. An hour is ahead
        of the clock if it was sealed while the database clock was ahead, and that clock has been set back.`),
    )
  return withListOptions(withRange(command, 'hours'), 'hour')
    .addHelpText('after', examples(['farthing cycles --limit 24', 'how is billing doing?']))
    .action(({ from, to, ...options }: CyclesOptions) =>
      printList(options, 'GET /v1/cycles', { query: { from, to } }, tableOf(COLUMNS, rowOf, 'No hours.')),
    )
}

const COLUMNS = [
  { heading: 'Cycle from, UTC', align: 'left' },
  { heading: 'Ends, UTC', align: 'left', drops: 4 },
  { heading: 'State', align: 'left' },
  { heading: 'Sealed, UTC', align: 'left', drops: 3 },
  { heading: 'Bills issued, UTC', align: 'left' },
  { heading: 'Lag', align: 'right' },
  { heading: 'Bills', align: 'right' },
  { heading: 'Corrections', align: 'right', drops: 1 },
  { heading: 'Prices', align: 'right', drops: 2 },
] as const

function rowOf(view: Cycle) {
  const { cycle, sealedAt, settledAt, lagSeconds, bills, corrections, priceVersion } = view
  const times = [sealedAt, settledAt].map((time) => (time === null ? '' : readableTime(time)))
  const counts = [bills, corrections].map((count) => (count === null ? '' : readableNumber(String(count))))
  const version = priceVersion === null ? '' : `version ${priceVersion}`
  const ends = [readableTime(cycle.from), readableTime(cycle.to)]
  return { cells: [...ends, stateOf(view), ...times, lagOf(lagSeconds), ...counts, version] }
}

/** `sealed, late`: the worst of what is to be said. */
function stateOf({ state, late, inDanger, sealedAhead }: Cycle): string {
  if (sealedAhead) return `${state}, ahead of the clock`
  return late ? `${state}, late` : inDanger ? `${state}, in danger` : state
}

/** `12 s`, `10 min 5 s`, `3 h 12 min`. */
function lagOf(lagSeconds: number | null): string {
  if (lagSeconds === null) return ''
  const seconds = Math.round(lagSeconds)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
