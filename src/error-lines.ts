import { escapeUnseen } from './core/text/printable-json.ts'
import type { LoggableError } from './store/loggable-error.ts'

/** An error for a person. Each call and each cause is a line of its own, and each message is one line, whatever it quotes. */
export function errorLines({ type, message, stack = '', cause, errors = [] }: LoggableError): string {
  const calls = stack.split('\n').filter((line) => /^ {4}at /.test(line) && !message.includes(line.trim()))
  const lines = [`${type}: ${message}`, ...calls].map(oneLine)
  const inner = [...(cause ? [cause] : []), ...errors].map((one) => `Cause: ${errorLines(one)}`)
  return [...lines, ...inner].join('\n')
}

/** A text without line ends and without anything that a terminal obeys. */
export function oneLine(text: string): string {
  return escapeUnseen(text).replaceAll('\n', '\\n')
}
