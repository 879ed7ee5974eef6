import { type Books, eventName, type Noted, type StoredVoid } from './books.ts'
import { type Claim, claimsOf, type KeptEvent } from './claims.ts'
import type { PriceTable } from './prices.ts'

/** An event that is no copy and not held: in whose bill it is, and what it comes to there. */
export interface Counting {
  readonly event: KeptEvent
  readonly cycle: number
  readonly claims: readonly Claim[]
  readonly taken: StoredVoid | undefined
}

export interface Counted {
  readonly counting: readonly Counting[]
  readonly findings: readonly string[]
}

/**
 * Where each event counts, once: in its cycle, if the version with which that was settled covers it; else where it was
 * released to; else nowhere, and it is held. Are the releases, the voids and the held events those that follow?
 */
export function countedEvents(books: Books, tables: readonly PriceTable[]): Counted {
  const facts: Facts = {
    books,
    tables,
    copies: named(books.copies),
    releases: named(books.releases),
    voids: named(books.voids),
    held: new Set(books.held.map(eventName)),
  }
  const counting: Counting[] = []
  const events = new Set(books.events.map(eventName))
  const findings = [...books.releases, ...books.voids, ...books.held]
    .map(eventName)
    .filter((name) => !events.has(name))
    .map((name) => `${name} is released, voided or held, and not stored`)
  for (const event of books.events) {
    const name = eventName(event)
    const place = placeOf(facts, event)
    if (place) counting.push({ event, ...place, taken: facts.voids.get(name) })
    findings.push(
      ...auditHeld(facts, event, place?.cycle),
      ...auditRelease(facts, event, place?.cycle),
      ...auditVoid(facts, event, place?.cycle),
    )
  }
  return { counting, findings }
}

interface Facts {
  readonly books: Books
  readonly tables: readonly PriceTable[]
  readonly copies: ReadonlyMap<string, Noted>
  readonly releases: ReadonlyMap<string, Noted>
  readonly voids: ReadonlyMap<string, StoredVoid>
  readonly held: ReadonlySet<string>
}

function named<Row extends Noted>(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.map((row) => [eventName(row), row]))
}

function placeOf(facts: Facts, event: KeptEvent): Pick<Counting, 'cycle' | 'claims'> | undefined {
  const name = eventName(event)
  if (facts.copies.has(name)) return undefined
  const own = claimsIn(facts, event, event.cycle)
  if (own) return { cycle: event.cycle, claims: own }
  const released = facts.releases.get(name)
  const claims = released && claimsIn(facts, event, released.cycle)
  return claims && { cycle: released.cycle, claims }
}

/** What an event comes to under the version with which a cycle was settled; undefined: it was not covered there. */
function claimsIn({ books, tables }: Facts, event: KeptEvent, cycle: number): readonly Claim[] | undefined {
  const version = books.versionOf(event.account, cycle)
  const table = version === undefined ? undefined : tables[version - 1]
  return table && claimsOf(table, event)
}

/** In the end an event is held if, and only if, it counts nowhere for want of a price. */
function auditHeld(facts: Facts, event: KeptEvent, cycle: number | undefined): readonly string[] {
  const name = eventName(event)
  const should = cycle === undefined && !facts.copies.has(name) && !facts.voids.has(name)
  const isCovered = claimsOf(facts.tables.at(-1)!, event) !== undefined
  if (should && isCovered) return [`${name} is covered by the newest version, and counts nowhere`]
  if (should !== facts.held.has(name)) return [`${name} is ${should ? 'not ' : ''}held`]
  return []
}

function auditRelease({ releases }: Facts, event: KeptEvent, cycle: number | undefined): readonly string[] {
  const name = eventName(event)
  const released = releases.get(name)
  if (released === undefined) return []
  if (released.cycle <= event.cycle) return [`${name} is released into a cycle that is not after its own`]
  // A copy may have been released before it was found out.
  return cycle === event.cycle ? [`${name} is released, and was not left out`] : []
}

/** @param cycle where the event counts; undefined: nowhere, since it is held or a copy */
function auditVoid({ copies, voids }: Facts, event: KeptEvent, cycle: number | undefined): readonly string[] {
  const name = eventName(event)
  const taken = voids.get(name)
  if (taken === undefined || copies.has(name)) return []
  const isLeftOut = taken.counted === taken.cycle
  const right =
    cycle === undefined
      ? isLeftOut
        ? taken.counted === event.cycle
        : taken.counted === null && taken.cycle > event.cycle
      : taken.counted === cycle && taken.cycle >= cycle
  return right ? [] : [`${name} counts in ${cycle}, and its void says ${taken.counted} in ${taken.cycle}`]
}
