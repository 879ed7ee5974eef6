import type { Log } from '../store/connect.ts'
import { loggableError } from '../store/loggable-error.ts'

/** What a thread has to say. */
export interface LogEntry {
  readonly kind: 'log'
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly text: string
}

/** A log whose entries are written by the main thread. */
export function forwardingLog(report: (entry: LogEntry) => void): Log {
  const at = (level: 'info' | 'warn' | 'error') => (fields: object, text: string) =>
    report({ kind: 'log', level, fields: sendable(fields), text })
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** Sent as it is, an error would lose its own fields, and some of them cannot be sent. */
function sendable(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? loggableError(value) : value,
    ]),
  )
}
