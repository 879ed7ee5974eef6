import { byteLength } from '../../core/text/well-formed.ts'
import { nearest } from '../../core/text/nearest.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { OffsetAt } from '../../core/time/zone-month.ts'

/** IANA names are shorter. */
const ZONE_BYTES_MAX = 64
/** Calendars that are kept: making one takes longer than asking it a hundred times. */
const CALENDARS_KEPT = 100

const calendars = new Map<string, Intl.DateTimeFormat>()

/** How far a zone is ahead of UTC, by the time zone data of this Node.js. */
export const offsetAt: OffsetAt = (zone, at) => {
  const seconds = Math.floor(at / 1000) * 1000
  const parts = Object.fromEntries(
    calendarOf(zone)
      .formatToParts(seconds)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>
  const { year, month, day, hour, minute, second } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - seconds
}

function calendarOf(zone: string): Intl.DateTimeFormat {
  const known = calendars.get(zone)
  if (known) return known
  const digits = 'numeric' as const
  const date = { year: digits, month: digits, day: digits }
  const time = { hour: digits, minute: digits, second: digits, hourCycle: 'h23' as const }
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, ...date, ...time })
  calendars.set(zone, made)
  if (calendars.size > CALENDARS_KEPT) calendars.delete(calendars.keys().next().value!)
  return made
}

export type ReadZone =
  { readonly ok: true; readonly zone: string } | { readonly ok: false; readonly meant: string | undefined }

/** A time zone by its IANA name, also an older name of it. Offsets such as +08:00 are none: they know no summer time. */
export function readTimeZone(text: string): ReadZone {
  if (byteLength(text) > ZONE_BYTES_MAX) return { ok: false, meant: undefined }
  const names = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  if (names.includes(text)) return { ok: true, zone: text }
  const meant = nearest(text, names)
  const isOtherCase = meant !== undefined && meant.toLowerCase() === text.toLowerCase()
  if (!isOtherCase && /^[A-Za-z][\w+/-]*$/.test(text) && hasCalendar(text)) return { ok: true, zone: text }
  return { ok: false, meant }
}

function hasCalendar(zone: string): boolean {
  try {
    offsetAt(zone, 0 as Instant)
    return true
  } catch {
    return false
  }
}
