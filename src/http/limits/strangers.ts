import { HttpProblem } from '../api/problem.ts'
import { addressGroup } from './address-group.ts'
import { type RateLimit, refusalHeaders } from './rate-limit.ts'

/** Texts of which nothing is known that the database is asked for at once: known keys do not wait behind them. */
export const STRANGERS_MAX = 20

/** @throws HttpProblem 429 when too many keys are looked up, or this address has sent too many that are none */
export function admitStranger(failedKeys: RateLimit, address: string, lookups: number): void {
  if (lookups >= STRANGERS_MAX) {
    const detail = 'Too many unknown keys are looked up at once: try again.'
    throw new HttpProblem('auth/too_many_unknown_keys', detail, { 'retry-after': '1' })
  }
  const left = failedKeys.look(addressGroup(address))
  if (left.ok) return
  const detail = `This address has sent more than ${left.limit} keys a minute that are not valid: check the key, and try again after Retry-After.`
  throw new HttpProblem('auth/too_many_unknown_keys', detail, refusalHeaders(left))
}

/** A key was looked up, and there is none. */
export function noteFailure(failedKeys: RateLimit, address: string): void {
  failedKeys.use(addressGroup(address))
}
