import { Command } from 'commander'
import type { SourceShare } from '../../api/sources.ts'
import { readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'
import { withRange } from '../terminal/time-option.ts'

interface SourcesOptions extends ListOptions {
  readonly from?: string
  readonly to?: string
  readonly account?: string
}

/** `sources list`: which of them send late. */
export function listSourcesCommand(): Command {
  const command = new Command('list')
    .summary('list sources: which of them send late')
    .description(
      prose(`Lists the sources of usage, those with the largest share of corrected lines first. An event that comes
        when its hour is sealed counts in a later one, as a correction. Without --from it is about the last day, and
        at most about 31 days.`),
    )
    .option('--account <account>', 'only usage of this account')
  return withListOptions(withRange(command, 'hours'), 'source')
    .addHelpText(
      'after',
      examples(['farthing sources list --from 2025-07-01 --to 2025-08-01', 'who sends late?']),
    )
    .action(({ from, to, account, ...options }: SourcesOptions) =>
      printList(options, 'GET /v1/sources', { query: { from, to, account } }, (items) =>
        table([...items].sort((a, b) => b.share - a.share)),
      ),
    )
}

const COLUMNS = [
  { heading: 'Source', align: 'left', shrinks: true },
  { heading: 'Events', align: 'right' },
  { heading: 'Late', align: 'right' },
  { heading: 'Lines', align: 'right', drops: 2 },
  { heading: 'Corrections', align: 'right' },
  { heading: 'Share', align: 'right' },
  { heading: 'Silent since, UTC', align: 'left', drops: 1 },
] as const

const table = tableOf(COLUMNS, rowOf, 'No usage.')

function rowOf(view: SourceShare) {
  const { source, events, lateEvents, lines, correctionLines, share, silentSince } = view
  const counts = [events, lateEvents, lines, correctionLines].map((count) => readableNumber(String(count)))
  const silent = silentSince === null ? '' : readableTime(silentSince)
  return { cells: [safeText(source), ...counts, `${(share * 100).toFixed(2)}%`, silent] }
}
