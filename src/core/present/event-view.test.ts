import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BOOK } from '../../../test/unit/oracle-book.ts'
import { acceptedOf, cloudEvent, usageEvent } from '../../../test/unit/oracle-event.ts'
import { compareLevels, integrate, type Level } from '../meter/level.ts'
import { decimal, plain, sum } from '../money/decimal.ts'
import { assess } from '../rate/rating/assess.ts'
import type { Json } from '../text/canonical-json.ts'
import { type Hour, parseHour, startOf } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import { cloudEventView, lineEventView, lineLevelView } from './event-view.ts'
import { spansOf } from './stored-spans.ts'

const HOUR = parseHour('2025-07-28T03Z')!
const receivedAt = (startOf(HOUR) + 5) as Instant

// Guarantee: what is shown is what was sent; sending it again is a duplicate.
test('an event is shown as the CloudEvent that was sent, and reads the same when it is sent again', () => {
  const sent =
    JSON.parse(`{"specversion":"1.0","id":"e-1","source":"/api","type":"farthing.request","subject":"acme",
    "time":"2025-07-28T02:30:00.000Z","traceparent":"00-1","constructor":"theirs",
    "data":{"operation":"SimpleQuery","status":200,"__proto__":{"b":2},"z":[1,{"y":null}]}}`) as Json
  const event = acceptedOf(sent)
  const shown = cloudEventView(event.account, { ...event, receivedAt })
  expect(JSON.parse(JSON.stringify(shown))).toEqual(sent)
  expect(acceptedOf(shown)).toEqual(event)
})

test('an extension attribute cannot pass for an attribute of the event', () => {
  const event = acceptedOf(cloudEvent())
  const attributes = '{"id":"other","subject":"zeta"}'
  expect(cloudEventView('acme', { ...event, receivedAt, attributes })).toMatchObject({
    id: 'e-1',
    subject: 'acme',
  })
})

test('an event behind a line says what it adds to the line', () => {
  const event = usageEvent({}, { status: 503, count: '12345678901234567890' })
  const assessment = assess(BOOK, event)
  const [charge] = assessment.outcome === 'accepted' ? assessment.charges : []
  expect(lineEventView('acme', { ...event, receivedAt, isTakenBack: true }, charge!)).toMatchObject({
    kind: 'event',
    voided: true,
    receivedAt: '2025-07-28T03:00:00.005Z',
    quantity: '0',
    waived: '12345678901234567890',
  })
})

const anyLevel: fc.Arbitrary<Level> = fc.record({
  project: fc.constant('p'),
  dataset: fc.constantFrom(null, 'd', 'e'),
  region: fc.constant(null),
  at: fc.integer({ min: -10, max: 3_600_010 }).map((offset) => (startOf(HOUR) + offset) as Instant),
  source: fc.constant('s'),
  id: fc.nat(99).map(String),
  bytes: fc.bigInt(0n, 10n ** 20n).map((bytes) => decimal(String(bytes))),
})

// Guarantee: the explanation of a line of storage adds up to the line.
test('the spans of an hour add up to what was stored in it', () => {
  fc.assert(
    fc.property(fc.array(anyLevel, { maxLength: 10 }), (levels) => {
      const ordered = levels.toSorted(compareLevels)
      const [stored] = integrate(ordered, HOUR)
      const spans = spansOf(ordered, HOUR)
      expect(plain(sum(spans.map(({ quantity }) => quantity)))).toBe(plain(stored?.quantity ?? decimal('0')))
      expect(spans.every(({ from, to }) => from >= startOf(HOUR) && from < to)).toBe(true)
      expect(spansOf(ordered, (HOUR - 2) as Hour)).toEqual([])
    }),
  )
})

test('a level behind a line says how long it was in force', () => {
  const level = { project: 'p', dataset: 'd', region: null, source: 's', bytes: decimal('10') }
  const levels: readonly Level[] = [
    { ...level, id: '1', at: (startOf(HOUR) - 7) as Instant },
    { ...level, id: '2', at: (startOf(HOUR) + 1000) as Instant, bytes: decimal('0') },
  ]
  const spans = spansOf(levels, HOUR).map((span) => ({ ...span, isTakenBack: false }))
  expect(spans.map(lineLevelView)).toEqual([
    {
      kind: 'level',
      voided: false,
      id: '1',
      source: 's',
      time: '2025-07-28T02:59:59.993Z',
      dataset: 'd',
      bytes: '10',
      from: '2025-07-28T03:00:00.000Z',
      to: '2025-07-28T03:00:01.000Z',
      quantity: '10000',
    },
  ])
})
