import type { BenchOptions } from './options.ts'
import { availableParallelism } from 'node:os'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { benchFloods, FLOOD_SECONDS } from './floods/bench-floods.ts'
import { benchIngest, INGEST_DEFAULTS } from './ingest/bench-ingest.ts'
import { benchLog } from './log/bench-log.ts'
import { benchFairness } from './load/bench-fairness.ts'
import { benchSustained, SUSTAINED_SECONDS } from './load/bench-sustained.ts'
import { printReport, type Part } from './report.ts'
import { withCleanup } from './run/cleanup.ts'
import { findPsql } from './run/psql.ts'
import { benchProcesses } from './settle/bench-processes.ts'
import { benchScale } from './settle/bench-scale.ts'
import { benchSettle, SETTLE_DEFAULTS } from './settle/bench-settle.ts'
import { benchWindow } from './settle/bench-window.ts'

const PARTS = {
  ingest: benchIngest,
  settle: benchSettle,
  processes: benchProcesses,
  window: benchWindow,
  scale: benchScale,
  sustained: benchSustained,
  fairness: benchFairness,
  floods: benchFloods,
  log: benchLog,
}
/** What `all` measures: the others take long, or are about one question. */
const ALL: readonly (keyof typeof PARTS)[] = ['ingest', 'settle']

export type What = keyof typeof PARTS | 'all'
/** Parts that need no psql: they are held against themselves. */
const WITHOUT_BASELINE: ReadonlySet<What> = new Set(['sustained', 'fairness', 'floods', 'log'])

type Choices = BenchOptions & { readonly json?: true }

/** The command line of the bench: measure, then print one table (or JSON) for each part. */
export async function bench(argv: readonly string[]): Promise<void> {
  await benchCommand(async (what, { json, ...options }) => {
    if (availableParallelism() < 2) process.stderr.write('bench: one core only, so its figures say little\n')
    if (!WITHOUT_BASELINE.has(what)) await findPsql()
    const parts = await withCleanup(async (cleanup) => {
      const measured: Part[] = []
      for (const part of what === 'all' ? ALL : [what])
        measured.push(...(await PARTS[part](options, cleanup)))
      return measured
    })
    printReport(parts, json === true)
  }).parseAsync(argv, { from: 'user' })
}

/** @param run what to do once the options are read */
export function benchCommand(run: (what: What, choices: Choices) => Promise<void>): Command {
  return new Command('npm run bench --')
    .description(
      'Measure ingest and settlement, as ratios to what bare PostgreSQL does with the same rows in the same run.\n' +
        'Everything runs on a server of its own in a temporary folder, and is deleted at the end.',
    )
    .addArgument(new Argument('[what]', 'which part').choices([...Object.keys(PARTS), 'all']).default('all'))
    .option('--events <number>', `events of a round ${defaults('events')}`, wholeNumber)
    .option('--accounts <number>', `accounts that they are spread over ${defaults('accounts')}`, wholeNumber)
    .option('--rounds <number>', `measured rounds; medians are of these ${defaults('rounds')}`, wholeNumber)
    .option(
      '--preload <number>',
      `events that the day holds before (ingest: ${INGEST_DEFAULTS.preload.toLocaleString('en')})`,
      wholeNumber,
    )
    .option(
      '--spread',
      'they lie in all hours of the day up to the one that events are sent to, instead of in that one',
    )
    .option('--priced', 'settle: with tiers and a price list on a tenth of the accounts, against without')
    .option(
      '--seconds <number>',
      `of load (sustained: ${SUSTAINED_SECONDS.toLocaleString('en')}, each flood: ${FLOOD_SECONDS})`,
      wholeNumber,
    )
    .option('--cpu-prof <folder>', "write CPU profiles of Farthing's processes there")
    .option('--json', 'print JSON instead of tables')
    .addHelpText('after', EXAMPLES)
    .action(run)
}

function defaults(option: 'events' | 'accounts' | 'rounds'): string {
  const [ingest, settle] = [INGEST_DEFAULTS[option], SETTLE_DEFAULTS[option]]
  return `(ingest: ${ingest.toLocaleString('en')}, settle: ${settle.toLocaleString('en')})`
}

const EXAMPLES = `
The baselines need psql. Progress goes to stderr, results to stdout. docs/performance.md says what each figure means.

Examples:
  npm run bench
  npm run bench -- ingest --preload 5000000            all in one hour
  npm run bench -- ingest --preload 5000000 --spread   over the day so far
  npm run bench -- settle --events 2000000 --accounts 200000
  npm run bench -- settle --priced    what tiers and price lists cost
  npm run bench -- processes     how much faster two processes settle than one
  npm run bench -- window        what the search for copies costs, by days
  npm run bench -- scale         up to 1,000,000 accounts, and 5,000,000 events of one
  npm run bench -- sustained --seconds 60
  npm run bench -- fairness      what one greedy key does to another
  npm run bench -- floods        what floods of one key do to another; a short form: --seconds 5
  npm run bench -- log           what the transparency log costs
  npm run --silent bench -- all --json > figures.json
`

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return Number(text)
}
