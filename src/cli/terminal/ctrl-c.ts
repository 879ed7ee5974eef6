import { EXIT } from './command-failed.ts'

/**
 * The first Ctrl-C asks the work to stop in good order; the second ends the process at once.
 * @param signals that are taken for one
 */
export function stopOnCtrlC(signals: readonly NodeJS.Signals[] = ['SIGINT']): {
  readonly signal: AbortSignal
  readonly done: () => void
} {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
  }
  for (const signal of signals) process.on(signal, onSignal)
  const done = () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  return { signal: stop.signal, done }
}
