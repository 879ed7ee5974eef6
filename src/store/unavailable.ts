import { sqlState } from './transaction.ts'
import { Outdated } from './writer.ts'

/** SQLSTATEs that say: not now. Connection lost, too many connections, shutting down, starting, cancelled. */
const NOT_NOW = /^(?:08...|53300|57P0[1-5]|57014|25P03)$/
const SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])
/** The driver's own errors have no code. */
const DRIVER =
  /^Connection terminated|timeout exceeded when trying to connect|^Client has encountered a connection error|^Cannot use a pool after calling end|^Query read timeout/

/** Is this error the database's absence, or its refusal for now, and not the statement's fault? */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isUnavailable)
  if (!(error instanceof Error)) return false
  // This process ends within seconds; a newer one answers.
  if (error instanceof Outdated) return true
  const state = sqlState(error)
  if (state !== undefined && NOT_NOW.test(state)) return true
  const code = 'code' in error ? String(error.code) : ''
  const isSystem = SYSTEM.has(code) && ('syscall' in error || 'address' in error)
  return isSystem || DRIVER.test(error.message)
}
