import { type Instant, type InstantRefusal, parseInstant } from './instant.ts'

/** A way to write a time where people and programs ask for one. Those without an offset are UTC. */
export interface TimeForm {
  readonly name: string
  readonly example: string
  /** The instant that the example names, as RFC 3339. */
  readonly means: string
}

/** All that options of commands and parameters of the API take. Each names its first instant. */
export const TIME_FORMS: readonly TimeForm[] = [
  { name: 'a month', example: '2025-07', means: '2025-07-01T00:00:00Z' },
  { name: 'a day', example: '2025-07-28', means: '2025-07-28T00:00:00Z' },
  { name: 'an hour', example: '2025-07-28T09Z', means: '2025-07-28T09:00:00Z' },
  { name: 'a minute', example: '2025-07-28T09:30Z', means: '2025-07-28T09:30:00Z' },
  { name: 'RFC 3339', example: '2025-07-28T11:30:00+02:00', means: '2025-07-28T09:30:00Z' },
]

/** Besides, only for commands, which have a clock. */
export const RELATIVE_FORMS: readonly TimeForm[] = [
  { name: 'now', example: 'now', means: '2025-07-28T09:30:15Z' },
  { name: 'the day', example: 'today', means: '2025-07-28T00:00:00Z' },
  { name: 'the day before', example: 'yesterday', means: '2025-07-27T00:00:00Z' },
  { name: 'so many minutes, hours or days ago', example: '-2h', means: '2025-07-28T07:30:15Z' },
]

const SHORT = TIME_FORMS.slice(0, -1)
  .map(({ name, example }) => `${name} (${example})`)
  .join(', ')

/** For the end of a refusal: what to write instead. */
export const TIME_FIX = `an RFC 3339 time with an offset (2025-07-28T11:30:00+02:00), or for short ${SHORT}, of UTC`

const MONTH = /^\d{4}-\d{2}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/
const HOUR_OR_MINUTE = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2})(:\d{2})?([Zz]|[+-]\d{2}:\d{2})$/

/** Read a time of TIME_FORMS. */
export function parseTime(text: string): Instant | InstantRefusal {
  if (MONTH.test(text)) return parseInstant(`${text}-01T00:00:00Z`)
  if (DAY.test(text)) return parseInstant(`${text}T00:00:00Z`)
  const [, hour, minute = ':00', offset] = HOUR_OR_MINUTE.exec(text) ?? []
  return parseInstant(hour === undefined ? text : `${hour}${minute}:00${offset}`)
}

const MINUTE = 60_000
const DAY_LENGTH = 1_440 * MINUTE
const UNIT_MS: Readonly<Record<string, number>> = { m: MINUTE, h: 60 * MINUTE, d: DAY_LENGTH }

/** Read a time of RELATIVE_FORMS; undefined when it is none of them. */
export function parseRelativeTime(text: string, now: Instant): Instant | undefined {
  const today = Math.floor(now / DAY_LENGTH) * DAY_LENGTH
  if (text === 'now') return now
  if (text === 'today') return today as Instant
  if (text === 'yesterday') return (today - DAY_LENGTH) as Instant
  const [, count, unit] = /^-(\d{1,6})([mhd])$/.exec(text) ?? []
  return unit === undefined ? undefined : ((now - Number(count) * UNIT_MS[unit]!) as Instant)
}

/** The months that begin at an instant: [it, the next one). Undefined when none does. */
export function monthOf(text: string): { readonly from: Instant; readonly to: Instant } | undefined {
  const from = MONTH.test(text) ? parseTime(text) : undefined
  if (typeof from !== 'number') return undefined
  const start = new Date(from)
  const to = new Date(from)
  to.setUTCMonth(start.getUTCMonth() + 1)
  return { from, to: to.getTime() as Instant }
}
