import { type Books, eventName, type EventName, grouped } from './books.ts'
import type { KeptEvent } from './claims.ts'

/** A void that was ordered while nothing else happened. */
export interface QuietVoid extends EventName {
  /** The hours of the account that were settled by then. */
  readonly settled: readonly number[]
}

/** Are the marks of copies right? Copies of one identity, under times at most `windowHours` apart, are one event. */
export function auditDuplicates(
  books: Books,
  windowHours: number,
  quietVoids: readonly QuietVoid[],
): readonly string[] {
  const marked = new Set(books.copies.map(eventName))
  const voided = new Set(books.voids.map(eventName))
  const events = new Map(books.events.map((event) => [eventName(event), event]))
  const misplaced = books.copies.filter((copy) => events.get(eventName(copy))?.cycle !== copy.cycle)
  const groups = grouped(books.events, identityName)
  const isNear = (a: EventName, b: EventName) => a.hour !== b.hour && Math.abs(a.hour - b.hour) <= windowHours
  return [
    ...misplaced.map((copy) => `${eventName(copy)} is marked as a copy in a cycle that is not its own`),
    ...[...groups.values()].flatMap((same) => {
      if (!same.some((event) => voided.has(eventName(event)))) return auditMarks(books, same, marked, isNear)
      return auditMarksBesideVoids(same, { marked, voided, isNear })
    }),
    ...quietVoids.flatMap((taken) =>
      auditAfterVoid(taken, groups.get(identityName(taken)) ?? [], marked, isNear),
    ),
  ]
}

type IsNear = (a: EventName, b: EventName) => boolean

/**
 * The one that was settled first stands, of two in one cycle that of the earlier hour; what is near one that stands is a
 * copy.
 */
function auditMarks(
  books: Books,
  same: readonly KeptEvent[],
  marked: ReadonlySet<string>,
  isNear: IsNear,
): readonly string[] {
  const stepOf = ({ account, cycle }: KeptEvent) => books.stepOf(account, cycle)
  const standing: KeptEvent[] = []
  const findings: string[] = []
  for (const event of same.toSorted((a, b) => stepOf(a) - stepOf(b) || a.hour - b.hour)) {
    const isDuplicate = standing.some((other) => isNear(event, other))
    if (!isDuplicate) standing.push(event)
    const name = eventName(event)
    if (isDuplicate && !marked.has(name)) findings.push(`${name} is a copy, and not marked`)
    if (!isDuplicate && marked.has(name)) findings.push(`${name} is marked as a copy, and counts`)
  }
  return findings
}

interface Watermarks {
  readonly marked: ReadonlySet<string>
  readonly voided: ReadonlySet<string>
  readonly isNear: IsNear
}

/** What was voided stands from then on, and facts do not say what was settled by then: so only what always holds. */
function auditMarksBesideVoids(
  same: readonly KeptEvent[],
  { marked, voided, isNear }: Watermarks,
): readonly string[] {
  return same.flatMap((event) => {
    const name = eventName(event)
    const near = same.filter((other) => isNear(event, other))
    const standing = near.filter((other) => !marked.has(eventName(other)))
    if (!marked.has(name)) return standing.map((other) => `${name} counts beside ${eventName(other)}`)
    const has = standing.length > 0 || near.some((other) => voided.has(eventName(other)))
    return has ? [] : [`${name} is marked as a copy of nothing`]
  })
}

/** What was not settled when an event near it was voided does not count in its place. */
function auditAfterVoid(
  taken: QuietVoid,
  same: readonly KeptEvent[],
  marked: ReadonlySet<string>,
  isNear: IsNear,
): readonly string[] {
  return same
    .filter((event) => isNear(event, taken) && !taken.settled.includes(event.cycle))
    .filter((event) => !marked.has(eventName(event)))
    .map((event) => `${eventName(event)} counts in the place of ${eventName(taken)}, which was voided before`)
}

function identityName({ account, source, id }: EventName): string {
  return JSON.stringify([account, source, id])
}
