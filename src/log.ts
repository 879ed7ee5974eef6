import { pino, stdSerializers } from 'pino'
import type { Log } from './store/connect.ts'

interface LogStream {
  write(line: string): unknown
}

/** JSON, one line an entry; or, for a person at a terminal, the time, the text and the fields in short. */
export function makeLog(stream: LogStream & { readonly isTTY?: boolean }): Log {
  const destination = stream.isTTY ? { write: (line: string) => stream.write(forPeople(line)) } : stream
  return pino({ base: null, timestamp: timestamp(), serializers: { err: stdSerializers.err } }, destination)
}

function timestamp(): () => string {
  return () => `,"time":"${new Date().toISOString()}"`
}

const LEVELS: Readonly<Record<number, string>> = { 30: '', 40: 'warning: ', 50: 'error: ', 60: 'fatal: ' }

/** One entry of pino as one line of text, and the stack of an error below it. */
function forPeople(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as {
    readonly level: number
    readonly time: string
    readonly msg: string
    readonly err?: { readonly message: string; readonly stack: string }
  }
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const text = [`${time.slice(11, 19)} ${LEVELS[level] ?? ''}${msg}`, ...rest].join(' ')
  return `${text}${err ? `\n${err.stack}` : ''}\n`
}
