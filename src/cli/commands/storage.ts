import { Command } from 'commander'
import type { StoredLevel } from '../../api/storage.ts'
import { countOf, readableNumber, readableTime, safeText } from '../../core/present/readable-text.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { type ListOptions, printList, tableOf, withListOptions } from '../client/print-list.ts'

interface StorageOptions extends ListOptions {
  readonly account?: string
}

/** `storage`: what an account stores now, and how old that report is. */
export function storageCommand(): Command {
  const command = new Command('storage')
    .summary('list what an account stores now, and since when')
    .description(
      prose(`Lists the level of stored data that is in force in each project, dataset and region, whether it is billed yet
        or not. A level counts until the next one: its age is the time since the last report.`),
    )
    .option('--account <account>', 'whose data; not needed with a key that is bound to one')
  return withListOptions(command, 'level')
    .addHelpText('after', examples(['farthing storage --account acme', 'what is charged every hour?']))
    .action(({ account, ...options }: StorageOptions) =>
      printList(
        options,
        'GET /v1/storage',
        { query: { account } },
        tableOf(COLUMNS, rowOf, 'Nothing is stored.'),
      ),
    )
}

const COLUMNS = [
  { heading: 'Project', align: 'left', shrinks: true },
  { heading: 'Dataset', align: 'left', shrinks: true },
  { heading: 'Region', align: 'left', shrinks: true, drops: 1 },
  { heading: 'Bytes', align: 'right' },
  { heading: 'Since, UTC', align: 'left' },
  { heading: 'Age', align: 'left' },
  { heading: 'Source', align: 'left', shrinks: true, drops: 2 },
] as const

function rowOf({ project, dataset, region, bytes, since, ageSeconds, source }: StoredLevel) {
  const names = [project, dataset, region].map((name) => safeText(name ?? '-'))
  return {
    cells: [...names, readableNumber(bytes), readableTime(since), ageOf(ageSeconds), safeText(source)],
  }
}

const UNITS = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const

/** The largest unit of which it has at least one, whole: `12 days`. */
export function ageOf(seconds: number): string {
  const [size, unit] = UNITS.find(([length]) => seconds >= length) ?? [1, 'second']
  return countOf(Math.floor(seconds / size), unit)
}
