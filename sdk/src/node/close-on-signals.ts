import { CLOSE_MS, type Meter } from '../create-meter.ts'
import { refuseUnknown } from '../known-members.ts'
import { invalidOption } from '../meter-error.ts'

export interface CloseOnSignals {
  /** SIGTERM and SIGINT unless told. */
  readonly signals?: readonly NodeJS.Signals[]
  /** How long the rest may take to be sent, in milliseconds (10,000). */
  readonly timeoutMs?: number
}

/**
 * Closes the meter when the process is asked to end, and then lets the signal end it as if nobody had listened. For
 * programs that do not listen to the signal themselves: those call `close` where they stop.
 * @returns what undoes it
 */
export function closeOnSignals(meter: Meter, options: CloseOnSignals = {}): () => void {
  refuseUnknown(options, ['signals', 'timeoutMs'], 'the options of closeOnSignals', invalidOption)
  const { signals = ['SIGTERM', 'SIGINT'], timeoutMs = CLOSE_MS } = options
  const forget = () => {
    for (const signal of signals) process.off(signal, end)
  }
  const end = (signal: NodeJS.Signals) => {
    // A second one ends the process at once.
    forget()
    void meter.close({ timeoutMs }).finally(() => process.kill(process.pid, signal))
  }
  for (const signal of signals) process.on(signal, end)
  return forget
}
