import { expect, test } from 'vitest'
import { BOOK } from '../../../test/unit/oracle-book.ts'
import { sha256, usageEvent } from '../../../test/unit/oracle-event.ts'
import type { UsageEvent } from '../ingest/event.ts'
import { endOf, formatHour } from '../time/hour.ts'
import type { Bill } from './bill.ts'
import { billsOnPaper } from './bills-on-paper.ts'
import { billText, eventText, lineText } from './digest-text.ts'

function billsOf(events: readonly UsageEvent[]): Bill[] {
  return billsOnPaper(BOOK, events, { priceVersion: 3, demo: false, sha256 })
}

let made = 0

function request(
  time: string,
  data: { status?: number; operation?: string; project?: string } = {},
  subject = 'acme',
) {
  return usageEvent({ time: `2025-07-${time}Z`, id: `r-${(made += 1)}`, subject }, data)
}

function level(time: string, bytes: string, dataset = 'd') {
  return usageEvent(
    { type: 'farthing.storage', time: `2025-07-${time}Z`, id: `s-${(made += 1)}` },
    { bytes, dataset },
  )
}

test('each hour with usage has a bill, from the first to the last', () => {
  const bills = billsOf([
    request('28T05:00:00'),
    request('28T02:59:59.999'),
    request('28T03:00:00'),
    request('28T02:00:00'),
  ])
  expect(bills.map(({ hour, total }) => [formatHour(hour), total])).toEqual([
    ['2025-07-28T02Z', '0.00001'],
    ['2025-07-28T03Z', '0.000005'],
    ['2025-07-28T05Z', '0.000005'],
  ])
})

test('a bill says whose it is, of when, and with which prices', () => {
  const [bill] = billsOf([request('28T02:30:00')])
  expect(bill).toMatchObject({
    id: '2025-07-28T02Z.acme',
    account: 'acme',
    issuedAt: endOf(bill!.hour),
    currency: 'USD',
    demo: false,
    late: false,
    sequence: 1,
    statementMonth: '2025-07',
    priceVersion: 3,
    previousDigest: null,
  })
})

test('the statement month is that of the first instant of the cycle, in UTC', () => {
  const [last, first] = billsOf([request('31T23:59:59.999'), usageEvent({ time: '2025-08-01T00:00:00Z' })])
  expect([last!.statementMonth, first!.statementMonth]).toEqual(['2025-07', '2025-08'])
})

test('bills of an account are numbered and chained, each account for itself', () => {
  const bills = billsOf([
    request('28T02:00:00'),
    request('28T04:00:00'),
    request('28T09:00:00'),
    request('28T04:00:00', {}, 'zeta'),
    request('28T02:00:00', {}, 'Acme'),
  ])
  expect(bills.map(({ account, sequence }) => `${account} ${sequence}`)).toEqual([
    'Acme 1',
    'acme 1',
    'acme 2',
    'acme 3',
    'zeta 1',
  ])
  const previous = bills.map(({ previousDigest }) =>
    bills.findIndex(({ digest }) => digest === previousDigest),
  )
  expect(previous).toEqual([-1, -1, 1, 2, -1])
})

// Guarantee: each digest covers what it says, so that a changed byte shows.
test('digests are over the events in key order, the lines, and the bill', () => {
  const events = [
    request('28T02:40:00', { project: 'p' }),
    request('28T02:10:00'),
    usageEvent({ time: '2025-07-28T02:50:00Z', id: 'r-0', source: '/b' }),
    usageEvent({ time: '2025-07-28T02:55:00Z', id: 'r-0', source: '/a' }),
  ]
  const [bill] = billsOf(events)
  const inKeyOrder = [events[3]!, events[2]!, events[1]!, events[0]!].sort((a, b) =>
    Buffer.compare(Buffer.from(`${a.id}\0${a.source}`), Buffer.from(`${b.id}\0${b.source}`)),
  )
  expect(bill!.eventsDigest).toBe(sha256(inKeyOrder.map(eventText).join('')))
  expect(bill!.linesDigest).toBe(sha256(bill!.lines.map((line) => lineText(bill!.hour, line)).join('')))
  expect(bill!.digest).toBe(sha256(billText(bill!)))
})

test('free and held events are in the digest of the hour, though on no line', () => {
  const line = request('28T02:10:00')
  const free = request('28T02:20:00', { operation: 'GetProject' })
  const held = request('28T02:30:00', { operation: 'NovelQuery' })
  const [alone, all] = [billsOf([line])[0]!, billsOf([line, free, held])[0]!]
  expect(all.lines).toEqual(alone.lines)
  expect(all.linesDigest).toBe(alone.linesDigest)
  expect(all.eventsDigest).not.toBe(alone.eventsDigest)
  expect(all.digest).not.toBe(alone.digest)
})

test('an hour of 5xx only has a bill with total 0 (R5)', () => {
  const [bill] = billsOf([request('28T02:10:00', { status: 503 }), request('28T02:20:00', { status: 500 })])
  expect(bill).toMatchObject({ total: '0', lines: [{ quantity: '0', waived: '2', amount: '0' }] })
})

test('no usage that has a price, no bill (R1)', () => {
  expect(billsOf([])).toEqual([])
  expect(billsOf([request('28T02:10:00', { operation: 'GetProject' })])).toEqual([])
  expect(billsOf([request('28T02:10:00', { operation: 'NovelQuery' })])).toEqual([])
  expect(billsOf([level('28T02:10:00', '0')])).toEqual([])
  const failed = usageEvent(
    { type: 'farthing.processing' },
    { operation: 'DetectImageFaces', mode: 'async', outcome: 'failed' },
  )
  expect(billsOf([failed])).toEqual([])
})

// R9, R10: 100 GB are 10^11 bytes; 100 GB for an hour are 100 GB-hours.
test('stored data is billed in every hour until the last event, with and without events', () => {
  const bills = billsOf([level('28T01:30:00', '100000000000'), request('28T05:10:00')])
  expect(
    bills.map(({ hour, lines, total }) => [formatHour(hour), lines.at(-1)!.pricingQuantity, total]),
  ).toEqual([
    ['2025-07-28T01Z', '50', '0'],
    ['2025-07-28T02Z', '100', '0'],
    ['2025-07-28T03Z', '100', '0.00315'],
    ['2025-07-28T04Z', '100', '0.00315'],
    ['2025-07-28T05Z', '100', '0.003155'],
  ])
  expect(bills.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
})

test('storage ends where its level is set to 0, and hours without anything have no bill', () => {
  const bills = billsOf([
    level('28T03:00:00', '1000000000'),
    level('28T03:00:00', '1000000000', 'e'),
    level('28T04:15:00', '0'),
    level('28T05:00:00', '0', 'e'),
    request('28T09:00:00'),
  ])
  expect(bills.map(({ hour, lines }) => [formatHour(hour), lines[0]!.pricingQuantity])).toEqual([
    ['2025-07-28T03Z', '2'],
    ['2025-07-28T04Z', '1.25'],
    ['2025-07-28T09Z', '0.001'],
  ])
})

test('a gap of years costs no time', () => {
  const [first, last] = billsOf([
    usageEvent({ time: '2025-01-01T00:00:00Z' }),
    usageEvent({ id: 'e-2', time: '2025-12-31T23:00:00Z' }),
  ])
  expect([first!.sequence, last!.sequence]).toEqual([1, 2])
  expect(last!.previousDigest).toBe(first!.digest)
})
