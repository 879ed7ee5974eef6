/** The first pause after a failure; each further one is twice as long … */
export const PAUSE_MS_MIN = 200
/** … up to this. */
export const PAUSE_MS_MAX = 30_000
/** What a server may ask for with Retry-After: more is taken as this, so that a slip does not stop us for a year. */
export const RETRY_AFTER_MS_MAX = 3_600_000

/**
 * How long to wait before sending again: exponential, with the upper half left to chance, so that many senders that
 * failed together do not come back together. Never less than the server has asked for.
 * @param failures in a row, from 1
 * @param chance from 0 up to 1
 * @param askedMs from Retry-After; 0: nothing was asked
 */
export function pauseMs(failures: number, chance: number, askedMs: number): number {
  const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures - 1, 30))
  return Math.max(longest / 2 + (longest / 2) * chance, Math.min(askedMs, RETRY_AFTER_MS_MAX))
}

/**
 * What Retry-After asks for, in milliseconds from now: seconds, or a date.
 * @returns 0 for a header that is absent, past or not understood
 */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0
  if (/^\s*\d+\s*$/.test(header)) return Math.min(Number(header) * 1000, RETRY_AFTER_MS_MAX)
  const at = Date.parse(header)
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}

/**
 * Is it of use to send the same again? No answer, too many requests, and the server's own failures pass. Everything
 * else is said about what was sent.
 */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}
