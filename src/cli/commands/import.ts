import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import { LOG_FORMATS, type LogFormatName } from '../../core/access-log/log-format.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { readEventLines } from '../import/event-lines.ts'
import { type FileBytes, openBytes } from '../import/file-bytes.ts'
import { examples, prose } from '../terminal/help-text.ts'
import { importBills } from '../import/import-bills.ts'
import { requirePlaces } from '../import/import-log.ts'
import { type LogMapFile, readLogMapFile } from '../import/import-log-map.ts'
import { ImportState } from '../import/import-state.ts'
import { Sent } from '../import/import-sent.ts'
import { allOf } from '../terminal/outcomes.ts'
import { pace, showProgress } from '../terminal/progress.ts'
import { nextUnless, sendLines } from '../import/send-lines.ts'
import { importKeys, LogImport, type SendLines } from '../import/send-log.ts'
import { makeApi, type ServerApi } from '../client/server-api.ts'
import { serverAddress, type ServerOptions, withServerOptions } from '../client/server-address.ts'
import { complain, remark } from '../terminal/terminal.ts'

interface ImportOptions extends ServerOptions {
  /** False with --no-wait. */
  readonly wait: boolean
  readonly problems?: string
  readonly format?: LogFormatName
  readonly map?: string
  readonly source?: string
  readonly state?: string
  readonly json?: true
}

/** `import`: send files of events, or access logs, to the server. */
export function importCommand(setExitCode: SetExitCode): Command {
  const command = new Command('import')
    .summary('send files of events, or access logs, to the server, and wait for their bills')
    .description(
      prose(`Sends the events of files to the server, says what became of them, and waits until past hours have
        their bills. With --map, lines of an access log are events: docs/access-logs.md. It can be stopped and run
        again at any time: an event that was accepted counts once.`),
    )
    .argument(
      '<files...>',
      'NDJSON, one CloudEvent on each line, packed with gzip or not; - is standard input',
    )
    .addOption(new Option('--format <format>', 'the files are access logs of this kind').choices(LOG_FORMATS))
    .option('--map <file>', 'YAML that says which requests of an access log are which operations of whom')
    .option('--source <name>', "the events' source, instead of the mapping's: one for each server")
    .option('--state <file>', 'remember how far access logs were imported, and go on there the next time')
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
        ['farthing import --map routes.yaml --format nginx access.log.1 access.log', 'access logs of nginx'],
        ['tail -n +1 -F access.log | farthing import - --map routes.yaml', 'a log as it is written'],
      ),
    )
    .action((paths: readonly string[], options: ImportOptions) => importFiles(paths, options, setExitCode))
}

async function importFiles(
  paths: readonly string[],
  options: ImportOptions,
  setExitCode: SetExitCode,
): Promise<void> {
  const map = readMap(options)
  const rules = map?.rules
  const api = makeApi(serverAddress(options))
  // A log that is followed has no end but being stopped: what was read is sent then, and all is well.
  const isEndless = rules !== undefined && paths.length === 1 && paths[0] === '-'
  const stop = stopOnCtrlC(rules ? ['SIGINT', 'SIGTERM'] : ['SIGINT'])
  const files = paths.map((path) => {
    if (rules) requirePlaces(rules, path)
    return openBytes(path)
  })
  const sent = new Sent(options.problems)
  const logs = map && logImport(map, options, api, sent)
  const name = randomUUID()
  try {
    for (const file of files) {
      await sendAll({ api, file, sent, logs, name, isEndless, signal: stop.signal })
    }
    sent.report({ json: options.json === true, asLog: rules !== undefined })
    if (!options.json) logs?.words.sayAtEnd()
    if (!options.wait && !options.json)
      remark('Bills of past hours come when the hours were quiet for a while.')
    if (options.wait && !stop.signal.aborted) {
      await importBills(api, name, { signal: stop.signal, json: options.json === true })
    }
  } finally {
    stop.done()
    for (const file of files) file.close()
    sent.close()
  }
  if (sent.hasRefused) setExitCode(EXIT.someRefused)
}

function logImport(
  { rules, source }: LogMapFile,
  { state, format }: ImportOptions,
  api: ServerApi,
  sent: Sent,
): LogImport {
  const keys = importKeys({ url: api.url, source: rules.source }, { map: source, format: format ?? '' })
  return new LogImport(rules, keys, sent, state === undefined ? undefined : new ImportState(state))
}

function readMap({ format, map, state, source }: ImportOptions): LogMapFile | undefined {
  if (map !== undefined) {
    if (source === '')
      throw new CommandFailed('--source is empty: write a name such as /gateway/eu-1.', EXIT.usage)
    const read = readLogMapFile(map, format)
    return source === undefined ? read : { ...read, rules: { ...read.rules, source } }
  }
  const needy = state !== undefined ? '--state' : source !== undefined ? '--source' : undefined
  if (needy) throw new CommandFailed(`${needy} is for access logs: name a mapping with --map.`, EXIT.usage)
  if (format === undefined) return undefined
  const message =
    '--format needs --map FILE, which says what each request of the log is: see docs/access-logs.md.'
  throw new CommandFailed(message, EXIT.usage)
}

interface Sending {
  readonly api: ServerApi
  readonly file: FileBytes
  readonly sent: Sent
  /** Undefined when the file has events. */
  readonly logs: LogImport | undefined
  readonly name: string
  readonly isEndless: boolean
  readonly signal: AbortSignal
}

async function sendAll(sending: Sending): Promise<void> {
  const { api, file, sent, logs, name, isEndless, signal } = sending
  const begin = performance.now()
  let trouble = ''
  const shown = showProgress(() => ({
    share: file.size === undefined ? undefined : file.bytesRead() / Math.max(file.size, 1),
    text: `${pace(allOf(sent.counts), 'event', begin)}${trouble}`,
  }))
  const send: SendLines = (lines, onAnswered) =>
    sendLines(api, isEndless ? until(lines, signal) : lines, {
      name,
      isEndless,
      signal: isEndless ? new AbortController().signal : signal,
      onOutcome: (outcome) => {
        trouble = ''
        sent.add(file.name, outcome)
      },
      ...(onAnswered ? { onAnswered } : {}),
      onRetry: (reason) => (trouble = ` — trying again: ${reason}`),
    })
  try {
    await (logs ? logs.send(file, send) : send(readEventLines(file)))
  } catch (error) {
    shown.end()
    const soFar = `${sent.summary()} so far. Import it again: what was accepted counts once.`
    if (signal.aborted) throw new CommandFailed(`Stopped. ${soFar}`, EXIT.interrupted)
    if (allOf(sent.counts) > 0) complain(soFar, 'yellow')
    throw error
  } finally {
    shown.end()
  }
}

/** Lines until there are no more, or the signal: a reader that waits for the next one is told that there is none. */
async function* until<Line>(lines: AsyncIterable<Line>, signal: AbortSignal): AsyncGenerator<Line> {
  const source = lines[Symbol.asyncIterator]()
  for (;;) {
    const next = await nextUnless(source, signal)
    if (next === undefined || next.done) return
    yield next.value
  }
}
