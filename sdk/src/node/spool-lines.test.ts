import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CloudEvent } from '../facts.ts'
import type { SpoolRecord } from '../spool.ts'
import { lineOf, readHeader, readSpool } from './spool-lines.ts'

const HEADER = lineOf({ farthingSpool: 1, url: 'http://x/v1/events' })

function eventOf(id: string, text = '', count?: string): CloudEvent {
  const data = { operation: text, status: 200, ...(count === undefined ? {} : { count }) }
  const time = '2026-01-01T00:00:00.000Z'
  return { specversion: '1.0', id, source: '/s', type: 'farthing.request', subject: text, time, data }
}

// Texts that look like lines, so that what is left of one may not pass for another.
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '00000000 {}\n', '"}', '\u2028'))
const events = fc
  .array(text, { maxLength: 6 })
  .map((texts) => texts.map((one, at) => eventOf(`e${at}`, one, '1')))

test('a file that is cut off anywhere has the events whose lines are whole, and no other', () => {
  fc.assert(
    fc.property(events, fc.double({ min: 0, max: 1, noNaN: true }), (all, part) => {
      const lines = all.map((event) => lineOf({ event }))
      const whole = Buffer.concat([HEADER, ...lines])
      const size = HEADER.length + Math.floor((whole.length - HEADER.length) * part)
      const ends = lines.map((_, at) => Buffer.concat([HEADER, ...lines.slice(0, at + 1)]).length)
      const expected = all.filter((_, at) => ends[at]! <= size)
      const atEnd = size === HEADER.length || ends.includes(size)
      expect(readSpool(whole.subarray(0, size))).toEqual({ events: expected, damaged: atEnd ? 0 : 1 })
    }),
  )
})

test('a byte that is changed loses its own line only', () => {
  fc.assert(
    fc.property(events, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, place, change) => {
      fc.pre(all.length > 0)
      const whole = Buffer.concat([HEADER, ...all.map((event) => lineOf({ event }))])
      const at = HEADER.length + (place % (whole.length - HEADER.length))
      whole[at]! ^= change
      const { events: read, damaged } = readSpool(whole)
      expect(damaged).toBeGreaterThan(0)
      // The end of a line joins it with the next, so two at most.
      expect(read.length).toBeGreaterThanOrEqual(all.length - 2)
      for (const event of read) expect(all).toContainEqual(event)
    }),
  )
})

function readRecords(records: readonly SpoolRecord[]) {
  return readSpool(Buffer.concat([HEADER, ...records.map(lineOf)]))
}

test('counts of a part become its event, and are left out when that was written', () => {
  const open = eventOf('p', 'o')
  const counts: SpoolRecord[] = [
    { part: 'p', count: '1', event: open },
    { part: 'p', count: '2' },
    { part: 'q', count: '10', event: eventOf('q', 'o') },
    { part: 'p', count: '0' },
  ]
  expect(readRecords(counts).events).toEqual([eventOf('p', 'o', '3'), eventOf('q', 'o', '10')])
  const closed = { event: eventOf('p', 'o', '7') }
  expect(readRecords([...counts, closed]).events).toEqual([eventOf('p', 'o', '7'), eventOf('q', 'o', '10')])
  expect(readRecords([{ part: 'p', count: '2' }])).toEqual({ events: [], damaged: 1 })
})

test('the first line says for which server a file is', () => {
  expect(readHeader(HEADER)).toBe('http://x/v1/events')
  expect(readHeader(HEADER.subarray(0, 20))).toBeUndefined()
  expect(readHeader(lineOf({ event: eventOf('e') }))).toBeUndefined()
})
