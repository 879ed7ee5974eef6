import { createHash } from 'node:crypto'
import { addClaim, type Claim, claimName, type Claims, claimsOf, type KeptEvent, priceAt } from './claims.ts'
import { divideHalfEven, fixed } from './fixed-point.ts'
import type { PricedRate, PriceTable } from './prices.ts'
import { addStoredClaims, bytesFirst } from './stored-claims.ts'

/**
 * The auditor: computes what each account owes from the stored events alone, and holds the stored bills against it.
 * It imports nothing of Farthing, so that a mistake there is not made here too.
 */
export interface Database {
  query(text: string): Promise<{ rows: unknown[] }>
}

export interface Audit {
  readonly events: number
  readonly bills: number
  readonly lines: number
  /** Lines for usage of older hours, and lines with quantities that are not billed. */
  readonly corrections: number
  readonly waived: number
  /** Bills of hours that had been settled for others. */
  readonly late: number
  /** Events that do not count, because their identity does under another time. */
  readonly copies: number
  /** Empty when the books are right. */
  readonly findings: readonly string[]
}

interface StoredBill {
  readonly hour: number
  readonly account: string
  readonly step: string
  readonly sequence: string
  readonly late: boolean
  readonly lines: number
  readonly total: string
  readonly request: string
  readonly processing: string
  readonly storage: string
  readonly digest: string
  readonly previous: string | null
  readonly events_digest: string
}

interface StoredLine {
  readonly hour: number
  readonly account: string
  readonly number: number
  readonly component: string
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly usage_hour: number
  readonly quantity: string
  readonly waived: string
  readonly pricing_quantity: string
  readonly unit_price: string
  readonly amount: string
  readonly corrects: string | null
}

interface Copy {
  readonly account: string
  readonly hour: number
  readonly source: string
  readonly id: string
}

interface SettledHour {
  readonly hour: number
  readonly account: string
  readonly step: string
  readonly events_digest: string
}

interface Books {
  readonly events: readonly KeptEvent[]
  /** Marked as copies of an event that counts. */
  readonly copies: readonly Copy[]
  readonly bills: readonly StoredBill[]
  readonly lines: readonly StoredLine[]
  readonly without: readonly SettledHour[]
  readonly settledUntil: number
}

/**
 * Audit books in which every hour is settled.
 * @param windowHours copies of one identity under times this far apart are one event
 */
export async function audit(database: Database, table: PriceTable, windowHours: number): Promise<Audit> {
  const books = await readBooks(database)
  const { events, bills, lines } = books
  const copies = copiesOf(books, windowHours)
  const counted = events.filter((event) => !copies.has(eventName(event)))
  const findings = [
    ...unfinished(books),
    ...auditCopies(books, copies),
    ...auditClaims({ ...books, events: counted }, table),
    ...auditLines(books, table),
    ...auditBills(books),
  ]
  return {
    events: events.length,
    bills: bills.length,
    lines: lines.length,
    corrections: lines.filter((line) => line.usage_hour !== line.hour).length,
    waived: lines.filter(({ waived }) => fixed(waived) !== 0n).length,
    late: bills.filter(({ late }) => late).length,
    copies: copies.size,
    findings,
  }
}

async function readBooks(database: Database): Promise<Books> {
  const rows = async <Row>(text: string) => (await database.query(text)).rows as Row[]
  const [deployment] = await rows<{ settled_until: number }>('select settled_until from deployment')
  return {
    settledUntil: deployment!.settled_until,
    events: (
      await rows<KeptEvent & { at: string }>(
        'select hour, cycle, account, source, id, at, type, data, attributes from usage_event',
      )
    ).map((event) => ({ ...event, at: Number(event.at) })),
    copies: await rows('select account, hour, source, id from conflict_event'),
    bills: await rows(
      `select hour, account, step, sequence, late, lines, total, request, processing, storage,
              encode(digest, 'hex') as digest, encode(previous_digest, 'hex') as previous,
              encode(events_digest, 'hex') as events_digest
         from bill order by account, sequence`,
    ),
    lines: await rows('select * from bill_line order by account, hour, number'),
    without: await rows(
      `select hour, account, step, encode(events_digest, 'hex') as events_digest from settled_hour`,
    ),
  }
}

/**
 * Events that do not count, because their identity was settled before under another time: in an earlier settled hour of
 * the account, or in the same one for an earlier hour.
 */
function copiesOf({ events, bills, without }: Books, windowHours: number): ReadonlySet<string> {
  const steps = new Map(
    [...bills, ...without].map(({ account, hour, step }) => [cycleName(account, hour), Number(step)]),
  )
  const stepOf = ({ account, cycle }: KeptEvent) => steps.get(cycleName(account, cycle)) ?? 0
  const copies = new Set<string>()
  for (const same of grouped(events, ({ account, source, id }) =>
    JSON.stringify([account, source, id]),
  ).values()) {
    const standing: number[] = []
    for (const event of same.toSorted((a, b) => stepOf(a) - stepOf(b) || a.hour - b.hour)) {
      const isCopy = standing.some((hour) => Math.abs(hour - event.hour) <= windowHours)
      if (isCopy) copies.add(eventName(event))
      else standing.push(event.hour)
    }
  }
  return copies
}

function auditCopies({ copies }: Books, should: ReadonlySet<string>): readonly string[] {
  const marked = new Set(copies.map(eventName))
  return [
    ...[...marked]
      .filter((name) => !should.has(name))
      .map((name) => `${name} is marked as a copy, and counts`),
    ...[...should].filter((name) => !marked.has(name)).map((name) => `${name} is a copy, and not marked`),
  ]
}

function eventName({ account, source, id, hour }: Copy): string {
  return JSON.stringify([account, source, id, hour])
}

/** Every event's cycle is settled, once. */
function unfinished({ events, bills, without }: Books): readonly string[] {
  const settled = new Set<string>()
  const findings: string[] = []
  for (const { account, hour } of [...bills, ...without]) {
    const name = cycleName(account, hour)
    if (settled.has(name)) findings.push(`${name} is settled twice`)
    settled.add(name)
  }
  const open = new Set(events.map(({ account, cycle }) => cycleName(account, cycle)))
  return [
    ...findings,
    ...[...open].filter((name) => !settled.has(name)).map((name) => `${name} is not settled`),
  ]
}

/**
 * What should be charged against what is, by account, usage hour, item, operation, project and region. Requests and
 * processing also bill by bill: each event is in the bill of its cycle and in no other.
 */
function auditClaims({ events, lines, settledUntil }: Books, table: PriceTable): readonly string[] {
  const should: Claims = new Map()
  const charged: Claims = new Map()
  for (const event of events) {
    for (const claim of claimsOf(table, event)) addClaim(should, inBill(claim, event.cycle))
  }
  for (const line of lines) {
    const claim = claimOfLine(line, table)
    addClaim(charged, claim.rate.component === 'storage' ? claim : inBill(claim, line.hour))
  }
  addStoredClaims(should, table, events, settledUntil)
  return [...new Set([...should.keys(), ...charged.keys()])].flatMap((name) => {
    const [owes, pays] = [should.get(name), charged.get(name)]
    const [quantity, waived] = [pays?.quantity ?? 0n, pays?.waived ?? 0n]
    if (quantity === (owes?.quantity ?? 0n) && waived === (owes?.waived ?? 0n)) return []
    const owed = `${owes?.quantity ?? 0n} (${owes?.waived ?? 0n} waived)`
    return [`${name}: billed ${quantity} (${waived} waived), owed ${owed}`]
  })
}

/** A claim that may be met by one bill only: its hour becomes part of the account's name. */
function inBill(claim: Claim, hour: number): Claim {
  return { ...claim, account: cycleName(claim.account, hour) }
}

function cycleName(account: string, hour: number): string {
  return `${account} in the bill of hour ${hour}`
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

/** Quantity x price of the usage hour = amount, to the last digit. */
function auditLines({ lines, bills }: Books, table: PriceTable): readonly string[] {
  const sequences = new Map(bills.map((bill) => [cycleName(bill.account, bill.hour), Number(bill.sequence)]))
  return lines.flatMap((line) => {
    const rate = rateOf(line, table)
    const price = priceAt(rate, line.usage_hour) ?? 'none'
    const unitPrice = fixed(price === 'free' ? '0' : price)
    const pricing = divideHalfEven(fixed(line.quantity), rate.per)
    const own = sequences.get(cycleName(line.account, line.hour)) ?? 0
    const corrected =
      line.usage_hour === line.hour ? own : (sequences.get(cycleName(line.account, line.usage_hour)) ?? own)
    const checks = {
      'unit price': fixed(line.unit_price) === unitPrice,
      'pricing quantity': fixed(line.pricing_quantity) === pricing,
      amount: fixed(line.amount, 24) === pricing * unitPrice,
      quantity: fixed(line.quantity) !== 0n || fixed(line.waived) !== 0n,
      // Only a bill that was there names what it corrects.
      corrects: (line.corrects !== null) === corrected < own,
    }
    const wrong = Object.entries(checks).filter(([, right]) => !right)
    const name = `line ${line.number} of ${cycleName(line.account, line.hour)} (${claimName(claimOfLine(line, table))})`
    return wrong.map(([field]) => `${name}: its ${field} is wrong`)
  })
}

/** Totals are the sums of lines, the chain is whole, and digests are those of the cycles' events. */
function auditBills({ bills, lines, events, without }: Books): readonly string[] {
  const linesOf = grouped(lines, ({ account, hour }) => cycleName(account, hour))
  const eventsOf = grouped(events, ({ account, cycle }) => cycleName(account, cycle))
  const chained = grouped(bills, ({ account }) => account)
  const steps = grouped([...bills, ...without], ({ account }) => account)
  const ofBills = bills.flatMap((bill) => {
    const name = cycleName(bill.account, bill.hour)
    const own = linesOf.get(name) ?? []
    const before = chained.get(bill.account)![Number(bill.sequence) - 2]
    const checks = {
      lines:
        own.length === bill.lines && own.every(({ number }, index) => number === index + 1) && own.length > 0,
      total: amounts(own) === fixed(bill.total, 24),
      request: amounts(own, 'request') === fixed(bill.request, 24),
      processing: amounts(own, 'processing') === fixed(bill.processing, 24),
      storage: amounts(own, 'storage') === fixed(bill.storage, 24),
      chain: bill.previous === (before?.digest ?? null),
    }
    return wrongParts(name, checks)
  })
  const ofDigests = [...bills, ...without].flatMap(({ account, hour, events_digest }) => {
    const name = cycleName(account, hour)
    return wrongParts(name, { 'events digest': events_digest === digestOf(eventsOf.get(name) ?? []) })
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
  return counted.reduce((sum, { amount }) => sum + fixed(amount, 24), 0n)
}

/** SHA-256 over the cycle's events in key order, each field ended by U+0000. */
function digestOf(events: readonly KeptEvent[]): string {
  const hash = createHash('sha256')
  const inOrder = events.toSorted(
    (a, b) => a.hour - b.hour || bytesFirst(a.id, b.id) || bytesFirst(a.source, b.source),
  )
  for (const { hour, id, source, at, type, data, attributes } of inOrder) {
    for (const field of ['event', hour, id, source, at, type, data, attributes ?? ''])
      hash.update(`${field}\0`)
  }
  return hash.digest('hex')
}

function grouped<Row>(rows: readonly Row[], nameOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const name = nameOf(row)
    const group = groups.get(name)
    if (group) group.push(row)
    else groups.set(name, [row])
  }
  return groups
}
