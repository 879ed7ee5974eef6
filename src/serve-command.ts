import { readSettings } from './config.ts'
import { makeLog } from './log.ts'
import { type Running, start } from './serve.ts'
import type { Log } from './store/connect.ts'

/** Exit codes: stopped as asked; refused to start, or failed; a second signal did not want to wait. */
export const EXIT = { stopped: 0, refused: 1, forced: 130 } as const

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
  const read = readSettings(env, process.cwd())
  if (!read.ok) return refuse(read.detail)
  // From here on a signal waits until everything has started, and then stops it.
  const signal = nextSignal(log)
  const started = await start(read.settings, log)
  if (!started.ok) return refuse(started.detail)
  for (const line of greeting(started.running)) process.stdout.write(`${line}\n`)
  log.info({ signal: await signal }, 'Stopping: requests in flight are finished')
  await started.running.stop()
  log.info({}, 'Stopped')
  return EXIT.stopped
}

function refuse(detail: string): number {
  process.stderr.write(`farthing: ${detail}\n`)
  return EXIT.refused
}

export function greeting({ url, adminKey, adminKeyPath, demo }: Running): readonly string[] {
  const key =
    adminKey === undefined
      ? `The admin key is in ${adminKeyPath}, on the machine of the first start.`
      : `Admin key: ${adminKey} (shown this once; it is kept in ${adminKeyPath})`
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
