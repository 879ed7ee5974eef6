import { pino } from 'pino'
import { escapeUnseen, printableJson } from './core/text/printable-json.ts'
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
  return pino({ base: null, timestamp: timestamp(), serializers: { err: serialized } }, destination)
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
  return `${text}${err ? `\n${stackOf(err)}` : ''}\n`
}

/** The calls are lines of their own, and the message is one: whatever it quotes. */
function stackOf({ type, message, stack = '' }: LoggableError): string {
  const calls = stack.split('\n').filter((line) => /^ {4}at /.test(line) && !message.includes(line.trim()))
  return [`${type}: ${message}`, ...calls].map(oneLine).join('\n')
}

function oneLine(text: string): string {
  return escapeUnseen(text).replaceAll('\n', '\\n')
}
