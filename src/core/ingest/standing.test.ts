import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { usageEvent } from '../../../test/unit/oracle-event.ts'
import { IDENTITY_WINDOW_HOURS, type Standing, standingOf } from './standing.ts'

/** One event a line, in order of arrival. `content` is what tells copies of one identity apart. */
function eventsOf(text: string) {
  return table<'identity' | 'time' | 'content' | 'standing'>(text).map(
    ({ identity, time, content, standing }) => {
      const [account, source, id] = identity.split(' ')
      return { event: usageEvent({ subject: account, source, id, time }, { note: content }), standing }
    },
  )
}

const CASES: Readonly<Record<string, string>> = {
  'different identities are different events, also with one content (R6)': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-07-28T02:30:00Z     | same    | stands
    acme /a 2  | 2025-07-28T02:30:00Z     | same    | stands
    acme /b 1  | 2025-07-28T02:30:00Z     | same    | stands
    zeta /a 1  | 2025-07-28T02:30:00Z     | same    | stands`,
  'the same identity and content again is a duplicate': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-07-28T02:30:00Z     | x       | stands
    acme /a 1  | 2025-07-28T02:30:00Z     | x       | duplicate
    acme /a 1  | 2025-07-28T10:30:00+08:00| x       | duplicate
    acme /a 1  | 2025-07-28T02:30:00.0009Z| x       | duplicate`,
  'the same identity with other content is a conflict: the first to arrive counts': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-07-28T02:30:00Z     | x       | stands
    acme /a 1  | 2025-07-28T02:30:00Z     | y       | conflict
    acme /a 1  | 2025-07-28T02:30:00Z     | x       | duplicate`,
  'a copy restamped within the hour is a conflict: the first to arrive counts': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-07-28T02:30:00Z     | x       | stands
    acme /a 1  | 2025-07-28T02:10:00Z     | x       | conflict`,
  'a copy restamped into another hour is a conflict: the earlier hour counts': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-07-28T03:00:00Z     | x       | conflict
    acme /a 1  | 2025-07-28T02:59:59.999Z | x       | stands
    acme /a 1  | 2025-07-28T04:00:00Z     | x       | conflict`,
  'copies 62 days apart are one event': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-05-01T00:00:00Z     | x       | stands
    acme /a 1  | 2025-07-02T00:59:59Z     | x       | conflict`,
  'copies further apart are two events': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-05-01T00:59:59Z     | x       | stands
    acme /a 1  | 2025-07-02T01:00:00Z     | x       | stands
    acme /a 1  | 2025-07-02T01:00:00Z     | x       | duplicate`,
  'the window begins with the event that stands, not with the copy before': `
    identity   | time                     | content | standing
    acme /a 1  | 2025-05-01T00:00:00Z     | x       | stands
    acme /a 1  | 2025-06-15T00:00:00Z     | x       | conflict
    acme /a 1  | 2025-07-10T00:00:00Z     | x       | stands`,
}

for (const [rule, text] of Object.entries(CASES)) {
  test(`which events count: ${rule}`, () => {
    const rows = eventsOf(text)
    expect(standingOf(rows.map(({ event }) => event))).toEqual(rows.map(({ standing }) => standing))
  })
}

test('62 days are the window', () => {
  expect(IDENTITY_WINDOW_HOURS).toBe(1488)
})

test('type, instant and data are the content; extension attributes are not', () => {
  const standings = standingOf([
    usageEvent({}, { colour: 'blue', size: 1 }),
    usageEvent({ traceparent: '00-1' }, { size: 1, colour: 'blue' }),
    usageEvent({ type: 'novel' }, { colour: 'blue', size: 1, operation: 'SimpleQuery', status: 200 }),
  ])
  expect(standings).toEqual(['stands', 'duplicate', 'conflict'])
})

test('identities are not glued together: ("a-b", "c") is not ("a", "b-c")', () => {
  const pairs = [
    ['a-b', 'c'],
    ['a', 'b-c'],
    ['a","b', 'c'],
    ['a', 'b","c'],
    ['a\u0001', 'b'],
  ]
  const events = pairs.map(([source, id]) => usageEvent({ source, id }))
  expect(standingOf(events)).toEqual(pairs.map((): Standing => 'stands'))
})

// Guarantee: exactly once. Whatever is retried, in whatever order, one event of each identity counts.
test('retrying events never changes which ones count', () => {
  const anyList = fc.uniqueArray(fc.record({ id: fc.nat(5), minute: fc.nat(59) }), {
    selector: ({ id }) => id,
    minLength: 1,
  })
  fc.assert(
    fc.property(anyList, fc.infiniteStream(fc.nat(100)), (list, order) => {
      const once = list.map(({ id, minute }) =>
        usageEvent({ id: String(id), time: `2025-07-28T02:${String(minute).padStart(2, '0')}:00Z` }),
      )
      const again = [...once, ...once, ...once]
        .map((event) => ({ event, key: order.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ event }) => event)
      const standing = standingOf(again)
      const counted = again.filter((_, index) => standing[index] === 'stands')
      expect(new Set(counted)).toEqual(new Set(once))
      expect(counted.length).toBe(once.length)
      expect(standing).not.toContain('conflict')
    }),
  )
})
