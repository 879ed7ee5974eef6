import { randomUUID } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { Command } from 'commander'
import { countOf, readableNumber, readableTime, safeText } from '../core/present/readable-text.ts'
import { CommandFailed, EXIT, systemReason } from './command-failed.ts'
import { stopOnCtrlC } from './ctrl-c.ts'
import { type EventFile, openEventFile } from './event-lines.ts'
import { examples, prose } from './help-text.ts'
import { addOutcomes, allOf, NO_OUTCOMES, outcomeSummary, ProblemLog } from './outcomes.ts'
import { pace, showProgress } from './progress.ts'
import type { SetExitCode } from './program.ts'
import { sendLines } from './send-lines.ts'
import { makeApi, type ServerApi } from './server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from './server-address.ts'
import { printJson, say } from './terminal.ts'
import { type ImportStatus, waitForBills } from './wait-for-bills.ts'

interface ImportOptions extends ServerOptions {
  /** False with --no-wait. */
  readonly wait: boolean
  readonly problems?: string
  readonly json?: true
}

/** `import`: send a file of events to the server. */
export function importCommand(setExitCode: SetExitCode): Command {
  const command = new Command('import')
    .summary('send a file of events to the server, and wait for their bills')
    .description(
      prose(`Sends the events of a file to the server, says what became of them, and waits until past hours have
        their bills. It can be stopped and run again at any time: an event that was accepted counts once.`),
    )
    .argument('<events>', 'NDJSON, one CloudEvent on each line, packed with gzip or not; - is standard input')
    .option('--no-wait', 'do not wait for the bills')
    .option(
      '--problems <file>',
      'write each line that was not accepted to this file (NDJSON), with the reason',
    )
    .option('--json', 'print {"accepted", "duplicates", "conflicts", "held", "rejected", "problems"}')
  return withServerOptions(command)
    .addHelpText(
      'after',
      examples(
        ['farthing import samples/imm-day.ndjson.gz', 'a day of usage'],
        ['farthing import - --problems refused.ndjson < day.ndjson', 'keep what was refused, and why'],
      ),
    )
    .action((path: string, options: ImportOptions) => importEvents(path, options, setExitCode))
}

async function importEvents(path: string, options: ImportOptions, setExitCode: SetExitCode): Promise<void> {
  const api = makeApi(serverAddress(options))
  const file = openEventFile(path)
  const stop = stopOnCtrlC()
  const problemsFile = options.problems === undefined ? undefined : openProblemsFile(options.problems)
  const sent = new Sent(problemsFile)
  const name = randomUUID()
  try {
    await sendAll(api, file, sent, { name, signal: stop.signal })
    report(file, sent, options)
    if (options.wait) reportBills(await wait(api, name, stop.signal))
  } finally {
    stop.done()
    file.close()
    if (problemsFile !== undefined) closeSync(problemsFile)
  }
  if (sent.counts.rejected + sent.counts.conflicts > 0) setExitCode(EXIT.someRefused)
}

/** What has been sent, and what became of it. */
class Sent {
  counts = NO_OUTCOMES
  readonly log = new ProblemLog()
  readonly #file: number | undefined

  /** @param file descriptor of the file for problems */
  constructor(file: number | undefined) {
    this.#file = file
  }

  add({ counts, problems }: Parameters<Parameters<typeof sendLines>[2]['onOutcome']>[0]): void {
    this.counts = addOutcomes(this.counts, counts)
    for (const problem of problems) {
      this.log.add(problem)
      if (this.#file !== undefined) writeSync(this.#file, `${JSON.stringify(problem)}\n`)
    }
  }
}

async function sendAll(
  api: ServerApi,
  file: EventFile,
  sent: Sent,
  { name, signal }: { readonly name: string; readonly signal: AbortSignal },
): Promise<void> {
  const begin = performance.now()
  let trouble = ''
  const shown = showProgress(() => ({
    share: file.size === undefined ? undefined : file.bytesRead() / Math.max(file.size, 1),
    text: `${pace(allOf(sent.counts), 'events', begin)}${trouble}`,
  }))
  try {
    await sendLines(api, file.lines, {
      name,
      signal,
      onOutcome: (outcome) => {
        trouble = ''
        sent.add(outcome)
      },
      onRetry: (reason) => (trouble = ` — trying again: ${reason}`),
    })
  } catch (error) {
    shown.end()
    const soFar = `${outcomeSummary(sent.counts)} so far. Import it again: what was accepted counts once.`
    if (signal.aborted) throw new CommandFailed(`Stopped. ${soFar}`, EXIT.interrupted)
    if (allOf(sent.counts) > 0) say(soFar, 'yellow')
    throw error
  } finally {
    shown.end()
  }
}

async function wait(api: ServerApi, name: string, signal: AbortSignal): Promise<ImportStatus | undefined> {
  let [done, all] = [0, 0]
  const shown = showProgress(() => ({
    share: done / Math.max(all, 1),
    text:
      all === 0
        ? 'waiting for bills'
        : `waiting for bills: ${readableNumber(String(done))} of ${countOf(String(all), 'hour')} settled`,
  }))
  try {
    return await waitForBills(api, name, {
      signal,
      onProgress: (...now) => ([done, all] = now),
    })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new CommandFailed(
      'Stopped. Everything was sent, and the bills come by themselves.',
      EXIT.interrupted,
    )
  } finally {
    shown.end()
  }
}

function report(file: EventFile, sent: Sent, { json, problems, wait: waits }: ImportOptions): void {
  sent.log.say(file.name)
  if (json) return printJson({ ...sent.counts, problems: sent.log.kept() })
  process.stdout.write(`${outcomeSummary(sent.counts)}.\n`)
  if (problems !== undefined) process.stdout.write(`What was not accepted is in ${problems}.\n`)
  if (!waits) say('Bills of past hours come when the hours were quiet for a while.')
}

/** To standard error: the result is what became of the events. */
function reportBills(status: ImportStatus | undefined): void {
  if (!status) {
    say(
      'The bills of past hours come when the hours were quiet for a while: this key may not ask for them now.',
    )
  } else if (status.open > 0) {
    say(`${countOf(String(status.open), 'hour')} still open, because others write to them too:`, 'yellow')
    for (const { account, hour } of status.shared) say(`  ${readableTime(hour)} UTC of ${safeText(account)}`)
    say('They are billed when they were quiet for a while.')
  } else {
    say('Every past hour has its bill.', 'green')
  }
}

function openProblemsFile(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw new CommandFailed(`${path} cannot be written (${systemReason(error)}): name another file.`)
  }
}
