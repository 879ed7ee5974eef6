/** The first pause after a failure; each further one is twice as long … */
export const PAUSE_MS_MIN = 200
/** … up to this. */
export const PAUSE_MS_MAX = 30_000
/** The same after an answer that only a person can put right: it may take minutes, and does not pass by itself. */
export const REFUSED_PAUSE_MS_MIN = 1000
export const REFUSED_PAUSE_MS_MAX = 60_000
/** What a server may ask for with Retry-After: more is taken as this, so that a slip does not stop us for a year. */
export const RETRY_AFTER_MS_MAX = 3_600_000

const PAUSES = { min: PAUSE_MS_MIN, max: PAUSE_MS_MAX }
export const REFUSED_PAUSES = { min: REFUSED_PAUSE_MS_MIN, max: REFUSED_PAUSE_MS_MAX }

/**
 * How long to wait before sending again: exponential, with the upper half left to chance, so that many senders that
 * failed together do not come back together. Never less than the server has asked for.
 * @param failures in a row, from 1
 * @param chance from 0 up to 1
 * @param askedMs from Retry-After; 0: nothing was asked
 */
export function pauseMs(failures: number, chance: number, askedMs: number, limits = PAUSES): number {
  const longest = Math.min(limits.max, limits.min * 2 ** Math.min(failures - 1, 30))
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
 * What an answer that is none of Farthing's 200 says: `passing`, that it passes by itself; `sending`, that the key, the
 * address or something in between is wrong; `content`, that something in between does not like what was sent, or how
 * much, so that a part of it may get through. None of them says anything of an event: it is kept.
 * @param isFarthings the answer has a code, as all of Farthing's have
 */
export function judgeStatus(status: number, isFarthings: boolean): 'passing' | 'sending' | 'content' {
  if (status < 400 || status === 408 || status === 429 || status >= 500) return 'passing'
  if (status === 403) return isFarthings ? 'sending' : 'content'
  return [401, 404, 405, 407, 410, 415, 426].includes(status) ? 'sending' : 'content'
}
