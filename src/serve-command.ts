import { endOnBugs } from './bug.ts'
import { readSettings } from './config.ts'
import { makeLog } from './log.ts'
import { type Refused, type Running, start } from './serve.ts'
import { STOP_MS } from './flows/start/stop-in-time.ts'
import type { Log } from './store/connect.ts'

/**
 * Exit codes: stopped as asked; refused to start, or failed; too old for the database, so that a start again would help
 * nobody (sysexits.h: EX_CONFIG; deploy/farthing.service); a second signal did not want to wait, or 30 s were over.
 */
export const EXIT = { stopped: 0, refused: 1, outdated: 78, forced: 130 } as const

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** `npm start` passes on a signal that the terminal has sent to this process already: both are one. */
const SAME_SIGNAL_MS = 1_000

/**
 * `farthing serve`: run until a signal, with settings from the environment. Says on stdout where it is and how to
 * use it; logs, and the one line of a refusal, go to stderr.
 * @returns the exit code
 */
export async function serveCommand(env: NodeJS.ProcessEnv): Promise<number> {
  const log = makeLog(process.stderr)
  const end = endOnBugs((err) =>
    log.error({ err }, 'A bug ends this process: unfinished work is rolled back. Report this entry'),
  )
  try {
    return await serve(env, log)
  } catch (error) {
    return end(error)
  }
}

async function serve(env: NodeJS.ProcessEnv, log: Log): Promise<number> {
  const read = readSettings(env, process.cwd())
  if (!read.ok) return refuse(read.detail)
  const signal = nextSignal(log)
  const starting = new AbortController()
  void signal.then(() => starting.abort())
  const started = await start(read.settings, log, starting.signal)
  if (!started.ok) return refuseStart(started, log)
  const isTerminal = process.stdout.isTTY
  for (const line of greeting(started.running, isTerminal)) process.stdout.write(`${line}\n`)
  return run(started.running, signal, log)
}

/** Until a signal, or until a newer version has taken over the database. */
async function run(running: Running, signal: Promise<string>, log: Log): Promise<number> {
  const reason = await Promise.race([
    signal.then((name) => ({ signal: name })),
    running.outdated.then((detail) => ({ detail })),
  ])
  if ('detail' in reason) log.error({}, `This process ends its work. ${reason.detail}`)
  else log.info(reason, 'Stopping: requests in flight are finished')
  endInTime(log)
  await running.stop()
  log.info({}, 'Stopped')
  return 'detail' in reason ? EXIT.outdated : EXIT.stopped
}

function refuseStart({ code, detail }: Refused, log: Log): number {
  if (code === 'start/stopped') {
    log.info({}, 'Stopped before everything had started')
    return EXIT.stopped
  }
  refuse(detail)
  return code === 'database/newer_schema' ? EXIT.outdated : EXIT.refused
}

/** Also when everything is stopped and something keeps the process alive. */
function endInTime(log: Log): void {
  const end = () => {
    log.error({}, 'The stop has taken 30 s: what was begun is rolled back, and the next start goes on')
    process.exit(EXIT.forced)
  }
  setTimeout(end, STOP_MS).unref()
}

function refuse(detail: string): number {
  process.stderr.write(`farthing: ${detail}\n`)
  return EXIT.refused
}

/** @param isTerminal a key is shown to a person, and never written into the log of a service */
export function greeting(
  { url, adminKey, adminKeyPath, demo }: Pick<Running, 'url' | 'adminKey' | 'adminKeyPath' | 'demo'>,
  isTerminal: boolean,
): readonly string[] {
  const place = `The admin key is in ${adminKeyPath}`
  const key =
    adminKey === undefined
      ? `${place}, on the machine of the first start.`
      : isTerminal
        ? `Admin key: ${adminKey} (shown this once; it is kept in ${adminKeyPath})`
        : `${place}.`
  const mark =
    'This is a demo: it bills with the reference prices, some of them made up, and its bills say so.'
  return [`Farthing is ready at ${url}`, key, ...(demo ? [mark] : [])]
}

/** The first signal. A second one, later than an echo of the first, ends the process without waiting. */
function nextSignal(log: Log): Promise<string> {
  let firstAt: number | undefined
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        firstAt ??= performance.now()
        if (performance.now() - firstAt > SAME_SIGNAL_MS) {
          log.warn({ signal }, 'Stopped at once, without waiting')
          process.exit(EXIT.forced)
        }
        resolve(signal)
      })
    }
  })
}
