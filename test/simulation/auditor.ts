import { createHash } from 'node:crypto'
import {
  type Books,
  cycleName,
  type Database,
  type EventName,
  grouped,
  type Noted,
  readBooks,
  type StoredLine,
  type StoredVoid,
} from './books.ts'
import { addClaim, type Claim, claimName, type Claims, claimsOf, type KeptEvent, priceAt } from './claims.ts'
import { auditDuplicates, type QuietVoid } from './copies.ts'
import { countedEvents, type Counting } from './counted-events.ts'
import { auditTiers } from './audit-tiers.ts'
import { divideHalfEven, fixed, PRICE_DIGITS } from './fixed-point.ts'
import type { PricedRate, PriceTable } from './prices.ts'
import { addStoredClaims, bytesFirst } from './stored-claims.ts'

/**
 * The auditor: computes what each account owes from the stored events alone, and holds the stored bills against it.
 * It imports nothing of Farthing, so that a mistake there is not made here too.
 */
export interface Audit {
  readonly events: number
  readonly bills: number
  readonly lines: number
  /** Lines for usage of older hours, and lines with quantities that are not billed. */
  readonly corrections: number
  readonly waived: number
  /** Lines whose amount does not end within 18 decimals. */
  readonly rounded: number
  /** Bills of hours that had been settled for others. */
  readonly late: number
  /** Events that do not count, because their identity does under another time. */
  readonly copies: number
  /** Events that were voided, and those of them that had been billed. */
  readonly voids: number
  readonly givenBack: number
  /** Held events that were billed later than in their own cycle. */
  readonly releases: number
  /** Price books that were published. */
  readonly versions: number
  /** Lines for stored data whose price was unknown at first. */
  readonly fills: number
  /** Levels that were added because an account is closed. */
  readonly ends: number
  /** Lines in a tier above the first, those of them that give back, and those with prices of a list. */
  readonly tiered: number
  readonly givenDown: number
  readonly listed: number
  /** Empty when the books are right. */
  readonly findings: readonly string[]
}

/**
 * Audit books in which every hour is settled.
 * @param versions the price tables that were published, version 1 first; or the only one
 * @param windowHours copies of one identity under times this far apart are one event
 * @param closings accounts that are closed: from that instant on, in milliseconds since 1970
 */
export async function audit(
  database: Database,
  versions: PriceTable | readonly PriceTable[],
  windowHours: number,
  quietVoids: readonly QuietVoid[] = [],
  closings: ReadonlyMap<string, number> = new Map(),
): Promise<Audit> {
  const books = await readBooks(database)
  const tables = 'rates' in versions ? [versions] : versions
  // Nothing published changes for an hour that has begun, so the newest table has every price that was ever billed.
  const newest = tables.at(-1)!
  const { events, bills, lines, voids } = books
  const counted = countedEvents(books, tables)
  const findings = [
    ...unfinished(books),
    ...auditDuplicates(books, windowHours, quietVoids),
    ...counted.findings,
    ...auditClaims(books, counted.counting, tables, closings),
    ...auditLines(books, newest),
    ...auditTiers(books, newest, (line) => rateOf(line, newest)),
    ...auditBills(books),
  ]
  return {
    events: events.length,
    bills: bills.length,
    lines: lines.length,
    corrections: lines.filter((line) => line.usage_hour !== line.hour).length,
    waived: lines.filter(({ waived }) => fixed(waived) !== 0n).length,
    rounded: lines.filter((line) => isRounded(line, newest)).length,
    late: bills.filter(({ late }) => late).length,
    copies: books.copies.length,
    voids: voids.length,
    givenBack: voids.filter(({ cycle, counted: bill }) => bill !== null && bill < cycle).length,
    releases: books.releases.length,
    versions: tables.length,
    fills: lines.filter((line) => isFilled(line, tables[0]!)).length,
    ends: events.filter(({ source }) => isEnd(source)).length,
    tiered: lines.filter(isTiered).length,
    givenDown: lines.filter((line) => isTiered(line) && line.quantity.startsWith('-')).length,
    listed: lines.filter(({ price_list: list }) => list !== null).length,
    findings,
  }
}

/** The cycle of every fact is settled, once. */
function unfinished({ events, releases, voids, bills, without }: Books): readonly string[] {
  const settled = new Set<string>()
  const findings: string[] = []
  for (const { account, hour } of [...bills, ...without]) {
    const name = cycleName(account, hour)
    if (settled.has(name)) findings.push(`${name} is settled twice`)
    settled.add(name)
  }
  const facts = [...events, ...releases, ...voids]
  const open = new Set(facts.map(({ account, cycle }) => cycleName(account, cycle)))
  return [
    ...findings,
    ...[...open].filter((name) => !settled.has(name)).map((name) => `${name} is not settled`),
  ]
}

/**
 * What should be charged against what is, by account, usage hour, item, operation, project and region. Requests and
 * processing also bill by bill: each event is in one bill, and what was voided after that in one more, with the
 * opposite sign. Stored data that was voided was never there. What a closed account stores follows from what was sent
 * and from the closing alone: the levels that Farthing adds for it are left out here, and must come to the same.
 */
function auditClaims(
  { lines, settledUntil, versionOf }: Books,
  counting: readonly Counting[],
  tables: readonly PriceTable[],
  closings: ReadonlyMap<string, number>,
): readonly string[] {
  const newest = tables.at(-1)!
  const should: Claims = new Map()
  const charged: Claims = new Map()
  for (const { event, cycle, claims, taken } of counting) {
    for (const claim of claims) addClaim(should, inBill(claim, cycle))
    if (taken === undefined || taken.counted === null) continue
    const back = claimsOf(tables[(versionOf(event.account, taken.cycle) ?? 1) - 1]!, event) ?? []
    for (const claim of back) addClaim(should, inBill(opposite(claim), taken.cycle))
  }
  for (const line of lines) {
    const claim = claimOfLine(line, newest)
    addClaim(charged, claim.rate.component === 'storage' ? claim : inBill(claim, line.hour))
  }
  const standing = counting.filter(({ taken, event }) => taken === undefined && !isEnd(event.source))
  addStoredClaims(should, newest, {
    events: standing.map(({ event }) => event),
    until: settledUntil,
    closings,
  })
  return [...new Set([...should.keys(), ...charged.keys()])].flatMap((name) => {
    const [owes, pays] = [should.get(name), charged.get(name)]
    const [quantity, waived] = [pays?.quantity ?? 0n, pays?.waived ?? 0n]
    if (quantity === (owes?.quantity ?? 0n) && waived === (owes?.waived ?? 0n)) return []
    const owed = `${owes?.quantity ?? 0n} (${owes?.waived ?? 0n} waived)`
    return [`${name}: billed ${quantity} (${waived} waived), owed ${owed}`]
  })
}

function isRounded(line: StoredLine, table: PriceTable): boolean {
  const product = fixed(line.quantity) * fixed(line.unit_price, PRICE_DIGITS)
  return fixed(line.amount, 18) * rateOf(line, table).per * 10n ** 10n !== product
}

function isTiered({ tier }: StoredLine): boolean {
  return tier !== null && tier > 1
}

/** Was the price of stored data unknown in the first table? */
function isFilled({ item, component, usage_hour: usageHour }: StoredLine, { rates }: PriceTable): boolean {
  const rate = rates.find((one) => one.item === item)
  return component === 'storage' && rate !== undefined && priceAt(rate, usageHour) === 'unknown'
}

function isEnd(source: string): boolean {
  return source.endsWith('farthing:closed')
}

function opposite(claim: Claim): Claim {
  return { ...claim, quantity: -claim.quantity, waived: -claim.waived }
}

/** A claim that may be met by one bill only: its hour becomes part of the account's name. */
function inBill(claim: Claim, hour: number): Claim {
  return { ...claim, account: cycleName(claim.account, hour) }
}

function claimOfLine(line: StoredLine, table: PriceTable): Claim {
  const { account, operation, project, region } = line
  const quantity = fixed(line.quantity)
  return {
    account,
    usageHour: line.usage_hour,
    rate: rateOf(line, table),
    operation,
    project,
    region,
    quantity,
    waived: fixed(line.waived),
  }
}

function rateOf({ item, rate, component }: StoredLine, { rates }: PriceTable): PricedRate {
  const found = rates.find((one) => one.item === item && one.rate === rate && one.component === component)
  if (!found) throw new Error(`a line has the rate ${component}/${item}/${rate}, which no price book had`)
  return found
}

/** What a line says besides its price and amount, which follow from the lines before it: `auditTiers`. */
function auditLines({ lines, bills, versionOf }: Books, table: PriceTable): readonly string[] {
  const sequences = new Map(bills.map((bill) => [cycleName(bill.account, bill.hour), Number(bill.sequence)]))
  return lines.flatMap((line) => {
    const rate = rateOf(line, table)
    const quantity = fixed(line.quantity)
    const own = sequences.get(cycleName(line.account, line.hour)) ?? 0
    const corrected =
      line.usage_hour === line.hour ? own : (sequences.get(cycleName(line.account, line.usage_hour)) ?? own)
    const checks = {
      'pricing quantity': fixed(line.pricing_quantity) === divideHalfEven(quantity, rate.per),
      quantity: quantity !== 0n || fixed(line.waived) !== 0n,
      version: line.price_version === versionOf(line.account, line.hour),
      // Only a bill that was there names what it corrects.
      corrects: (line.corrects !== null) === corrected < own,
    }
    const wrong = Object.entries(checks).filter(([, right]) => !right)
    const name = `line ${line.number} of ${cycleName(line.account, line.hour)} (${claimName(claimOfLine(line, table))})`
    return wrong.map(([field]) => `${name}: its ${field} is wrong`)
  })
}

/** Totals are the sums of lines, the chain is whole, and digests are those of the cycles' events. */
function auditBills({ bills, lines, events, releases, voids, without }: Books): readonly string[] {
  const linesOf = grouped(lines, ({ account, hour }) => cycleName(account, hour))
  const facts = { events: byCycle(events), releases: byCycle(releases), voids: byCycle(voids) }
  const chained = grouped(bills, ({ account }) => account)
  const steps = grouped([...bills, ...without], ({ account }) => account)
  const ofBills = bills.flatMap((bill) => {
    const name = cycleName(bill.account, bill.hour)
    const own = linesOf.get(name) ?? []
    const before = chained.get(bill.account)![Number(bill.sequence) - 2]
    const checks = {
      lines:
        own.length === bill.lines && own.every(({ number }, index) => number === index + 1) && own.length > 0,
      total: amounts(own) === fixed(bill.total, 18),
      request: amounts(own, 'request') === fixed(bill.request, 18),
      processing: amounts(own, 'processing') === fixed(bill.processing, 18),
      storage: amounts(own, 'storage') === fixed(bill.storage, 18),
      chain: bill.previous === (before?.digest ?? null),
    }
    return wrongParts(name, checks)
  })
  const ofDigests = [...bills, ...without].flatMap(({ account, hour, events_digest }) => {
    const name = cycleName(account, hour)
    return wrongParts(name, { 'events digest': events_digest === digestOf(name, facts) })
  })
  const ofSteps = [...steps].flatMap(([account, settled]) => {
    const numbers = settled.map(({ step }) => Number(step)).sort((a, b) => a - b)
    return wrongParts(account, { steps: numbers.every((step, index) => step === index + 1) })
  })
  return [...ofBills, ...ofDigests, ...ofSteps]
}

function wrongParts(name: string, checks: Readonly<Record<string, boolean>>): readonly string[] {
  const wrong = Object.entries(checks).filter(([, right]) => !right)
  return wrong.map(([part]) => `${name}: its ${part} is wrong`)
}

function amounts(lines: readonly StoredLine[], component?: string): bigint {
  const counted = lines.filter((line) => component === undefined || line.component === component)
  return counted.reduce((sum, { amount }) => sum + fixed(amount, 18), 0n)
}

function byCycle<Row extends { readonly account: string; readonly cycle: number }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  return grouped(rows, ({ account, cycle }) => cycleName(account, cycle))
}

interface FactsByCycle {
  readonly events: ReadonlyMap<string, readonly KeptEvent[]>
  readonly releases: ReadonlyMap<string, readonly Noted[]>
  readonly voids: ReadonlyMap<string, readonly StoredVoid[]>
}

/** SHA-256 over the cycle's events, then its releases, then its voids, each in key order, each field ended by U+0000. */
function digestOf(name: string, { events, releases, voids }: FactsByCycle): string {
  const hash = createHash('sha256')
  const add = (...fields: readonly (string | number | null)[]) => {
    for (const field of fields) hash.update(`${field ?? ''}\0`)
  }
  for (const { hour, id, source, at, type, data, attributes } of inKeyOrder(events.get(name)))
    add('event', hour, id, source, at, type, data, attributes)
  for (const { hour, id, source } of inKeyOrder(releases.get(name))) add('release', hour, id, source)
  for (const taken of inKeyOrder(voids.get(name))) {
    const { hour, id, source, counted, ordered_at, ordered_by, reason } = taken
    add('void', hour, id, source, counted, ordered_at, ordered_by, reason)
  }
  return hash.digest('hex')
}

function inKeyOrder<Row extends EventName>(rows: readonly Row[] = []): readonly Row[] {
  return rows.toSorted((a, b) => a.hour - b.hour || bytesFirst(a.id, b.id) || bytesFirst(a.source, b.source))
}
