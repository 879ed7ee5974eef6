import { pino } from 'pino'
import { escapeUnseen, printableJson } from './core/text/printable-json.ts'
import { errorLines, oneLine } from './error-lines.ts'
import type { Log } from './store/connect.ts'
import { type LoggableError, loggableError } from './store/loggable-error.ts'

interface LogStream {
  write(line: string): unknown
}

/**
 * JSON, one line an entry; or, for a person at a terminal, the time, the text and the fields in short. Foreign text in it
 * moves no cursor and makes no line that looks like another entry.
 */
export function makeLog(stream: LogStream & { readonly isTTY?: boolean }): Log {
  const shown = stream.isTTY ? forPeople : escapeUnseen
  const destination = { write: (line: string) => stream.write(shown(line)) }
  return calmLog(pino({ base: null, timestamp: timestamp(), serializers: { err: serialized } }, destination))
}

function timestamp(): () => string {
  return () => `,"time":"${new Date().toISOString()}"`
}

function serialized(error: unknown): LoggableError {
  return loggableError(error)
}

const LEVELS: Readonly<Record<number, string>> = { 30: '', 40: 'warning: ', 50: 'error: ', 60: 'fatal: ' }

/** One entry of pino as one line of text, and the stack of an error below it. */
function forPeople(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as {
    readonly level: number
    readonly time: string
    readonly msg: string
    readonly err?: LoggableError
  }
  const rest = Object.entries(fields).map(([name, value]) => `${oneLine(name)}=${printableJson(value)}`)
  const text = [`${time.slice(11, 19)} ${LEVELS[level] ?? ''}${oneLine(msg)}`, ...rest].join(' ')
  return `${text}${err ? `\n${errorLines(err)}` : ''}\n`
}

/** Equal errors are logged once in this time, with how often they came. */
export const EQUAL_ERRORS_MS = 60_000
/** Different errors that are remembered: beyond, the oldest is forgotten. */
const ERRORS_KEPT = 1_000

interface Seen {
  readonly fields: object
  /** Not logged yet. */
  repeats: number
}

/**
 * A log in which an error that comes again and again, as while a disk is full, is one entry a minute: the first at once,
 * and then how often it has come. Entries without an error are not held back.
 */
export function calmLog(log: Log, everyMs: number = EQUAL_ERRORS_MS): Log {
  const seen = new Map<string, Seen>()

  function say(level: 'warn' | 'error', fields: object, text: string): void {
    const name = nameOf(fields)
    if (name === undefined) return log[level](fields, text)
    const key = `${level} ${text} ${name}`
    const known = seen.get(key)
    if (known) {
      known.repeats += 1
      return
    }
    log[level](fields, text)
    seen.set(key, { fields, repeats: 0 })
    if (seen.size > ERRORS_KEPT) seen.delete(seen.keys().next().value!)
    setTimeout(() => end(level, key, text), everyMs).unref()
  }

  function end(level: 'warn' | 'error', key: string, text: string): void {
    const known = seen.get(key)
    seen.delete(key)
    if (!known || known.repeats === 0) return
    log[level]({ ...known.fields, times: known.repeats, withinSeconds: everyMs / 1000 }, text)
  }

  return {
    info: (fields, text) => log.info(fields, text),
    warn: (fields, text) => say('warn', fields, text),
    error: (fields, text) => say('error', fields, text),
  }
}

/** What makes errors equal: their code and what they say, but for the numbers in it. */
function nameOf(fields: object): string | undefined {
  const { err } = fields as { readonly err?: { readonly code?: unknown; readonly message?: unknown } }
  if (typeof err !== 'object' || err === null) return undefined
  return `${String(err.code)} ${String(err.message).replaceAll(/\d+/g, '#')}`
}
