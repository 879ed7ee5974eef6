import { EXIT } from './command-failed.ts'

/** The first Ctrl-C asks the work to stop in good order; the second ends the process at once. */
export function stopOnCtrlC(): { readonly signal: AbortSignal; readonly done: () => void } {
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort()
  }
  process.on('SIGINT', onSignal)
  return { signal: stop.signal, done: () => process.off('SIGINT', onSignal) }
}
