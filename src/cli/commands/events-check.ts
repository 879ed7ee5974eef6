import { printableJson } from '../../core/text/printable-json.ts'
import { Command } from 'commander'
import { readableNumber } from '../../core/present/readable-text.ts'
import { type CheckedEvent, checkLines } from '../import/check-lines.ts'
import { EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { eventsTable, ItemTotals } from '../terminal/checked-table.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { openEventFile } from '../import/event-lines.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { allOf, NO_OUTCOMES, type OutcomeCounts, outcomeSummary, ProblemLog } from '../terminal/outcomes.ts'
import { pace, showProgress } from '../terminal/progress.ts'
import { makeApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { conclude, printLines, remark, tableWidth } from '../terminal/terminal.ts'

interface CheckOptions extends ServerOptions {
  readonly all?: true
  readonly json?: true
}

/** `events check`: what would become of a file of events, and what it would cost. */
export function checkEventsCommand(setExitCode: SetExitCode): Command {
  const command = new Command('check')
    .summary('say what would become of a file of events, and what it would cost; nothing is stored')
    .description(
      prose(`Asks the server about each event of a file: whether it would be accepted, a duplicate, in conflict, held
        or rejected, in which hour it would count, and what it would cost at the price of its hour. Nothing is stored.
        Exit code 3 if any would be rejected or in conflict.`),
    )
    .argument('<file>', 'NDJSON, one CloudEvent on each line, packed with gzip or not; - is standard input')
    .option('--all', 'a row for each event, instead of one for each item')
    .option('--json', 'print each event with its line, outcome and charges, one a line (NDJSON)')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing events check day.ndjson.gz', 'what would this day cost?'],
        ['farthing events check - --all < new.ndjson', 'each event by itself'],
      ),
    )
    .action((path: string, options: CheckOptions) => check(path, options, setExitCode))
}

async function check(path: string, options: CheckOptions, setExitCode: SetExitCode): Promise<void> {
  const api = makeApi(serverAddress(options))
  const file = openEventFile(path)
  const stop = stopOnCtrlC()
  const result = new Result(options)
  const begin = performance.now()
  const shown = showProgress(() => ({
    share: file.size === undefined ? undefined : file.bytesRead() / Math.max(file.size, 1),
    text: pace(allOf(result.counts), 'event', begin),
  }))
  try {
    for await (const batch of checkLines(api, file.lines, { signal: stop.signal })) result.add(batch)
  } finally {
    shown.end()
    stop.done()
    file.close()
  }
  result.print(file.name)
  if (result.counts.rejected + result.counts.conflicts > 0) setExitCode(EXIT.someRefused)
}

const MEMBER_OF: Readonly<Record<CheckedEvent['outcome'], keyof OutcomeCounts>> = {
  accepted: 'accepted',
  duplicate: 'duplicates',
  conflict: 'conflicts',
  held: 'held',
  rejected: 'rejected',
}

/** What was found so far. Memory grows with the items; with the events only for `--all`. */
class Result {
  readonly counts: Record<keyof OutcomeCounts, number> = { ...NO_OUTCOMES }
  readonly #totals = new ItemTotals()
  readonly #log = new ProblemLog()
  readonly #all: CheckedEvent[] = []
  readonly #options: CheckOptions
  #remarks = 0
  #firstRemark: CheckedEvent | undefined

  constructor(options: CheckOptions) {
    this.#options = options
  }

  add(batch: readonly CheckedEvent[]): void {
    for (const event of batch) {
      this.counts[MEMBER_OF[event.outcome]] += 1
      this.#note(event)
      if (this.#options.json) process.stdout.write(`${printableJson(event)}\n`)
      else if (this.#options.all) this.#all.push(event)
      else this.#totals.add(event)
    }
  }

  print(name: string): void {
    const { json, all } = this.#options
    if (!json) printLines(all ? eventsTable(this.#all, tableWidth()) : this.#totals.table(tableWidth()))
    this.#log.say(name)
    const first = this.#firstRemark
    if (first) {
      const more = this.#remarks === 1 ? '' : ` (${readableNumber(String(this.#remarks))} such remarks)`
      remark(`${name}:${first.line}: remark: ${first.detail ?? ''}${more}`, 'yellow')
    }
    conclude(`${outcomeSummary(this.counts)}. Nothing was stored.`, { json: json === true })
  }

  #note(event: CheckedEvent): void {
    const { line, id, outcome, code, detail } = event
    if (code === null) return
    if (outcome === 'accepted') {
      this.#remarks += 1
      this.#firstRemark ??= event
    } else if (outcome !== 'duplicate') {
      this.#log.add({ line, id, outcome, code, detail: detail ?? '' })
    }
  }
}
