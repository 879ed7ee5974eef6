import type { Log } from '../store/connect.ts'

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

function sendable(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? described(value) : value]),
  )
}

/** Sent as it is, an error would lose its own fields, of which the driver's say most; and some of them cannot be sent. */
function described(error: Error): object {
  const own = Object.entries(error).filter(([, value]) => ['string', 'number'].includes(typeof value))
  return { type: error.name, message: error.message, stack: error.stack, ...Object.fromEntries(own) }
}
