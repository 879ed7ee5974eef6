import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HashedLine } from './event-lines.ts'
import { isMarked, KnownLogs, LineMarks, MARKED_LINES, marksUpTo } from './known-logs.ts'
import { LogReading, type LineStanding } from './log-reading.ts'

test('all of the first lines are marked, then one in ever more, and their number is known', () => {
  let count = 0
  for (let ordinal = 1; ordinal <= 20_000; ordinal++) {
    if (isMarked(ordinal)) count += 1
    if (ordinal < MARKED_LINES) expect(count).toBe(ordinal)
    expect([ordinal, marksUpTo(ordinal)]).toEqual([ordinal, count])
  }
  expect(count).toBeLessThan(1_200)
  expect(marksUpTo(2 ** 31)).toBeLessThan(3_300)
})

const KEYS = { names: 'n', rules: 'r' }

/** A line a letter. */
function linesOf(text: string): readonly HashedLine[] {
  return Array.from(text, (letter, at) => {
    const digest = createHash('sha256')
      .update(text.slice(0, at + 1))
      .digest('hex')
    const place = { number: at + 1, offset: at, end: at + 1, isEnded: true }
    return { ...place, bytes: Buffer.from(letter), digest: () => digest }
  })
}

/** Read a log to its end; each line is an event. */
function read(logs: KnownLogs, text: string): readonly LineStanding[] {
  const reading = new LogReading('/log', logs)
  const standings: LineStanding[] = []
  for (const line of linesOf(text)) {
    const { standing, place } = reading.read(line)
    standings.push(standing)
    if (standing === 'other') return standings
    reading.isEvent(place)
  }
  if (reading.last) reading.answered(reading.last, true)
  return standings
}

function commonOf(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  const at = Array.from({ length }).findIndex((_, index) => a[index] !== b[index])
  return at === -1 ? length : at
}

// Guarantee: of two logs that begin with the same event, no line of the second is taken for the first one's but the
// lines that both have, and one that differs is noticed at the next mark.
test('a log is told from another that begins like it', () => {
  const text = fc
    .tuple(fc.nat({ max: 700 }), fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 40 }))
    .map(([same, rest]) => `x${'='.repeat(same)}${rest}`)
  fc.assert(
    fc.property(text, text, (a, b) => {
      const logs = new KnownLogs(KEYS)
      expect(read(logs, a).every((standing) => standing === 'new')).toBe(true)
      const standings = read(logs, b)
      const common = commonOf(a, b)
      const sure = standings.lastIndexOf('same') + 1
      expect(sure).toBeLessThanOrEqual(common)
      const isOther = standings.at(-1) === 'other'
      if (common === a.length) expect([isOther, sure]).toEqual([false, a.length])
      else if (isOther) expect(standings.length).toBeGreaterThan(common)
      // It ended before the next mark.
      else if (common < b.length) expect(standings.slice(common).every((one) => one === 'open')).toBe(true)
      expect(standings.slice(0, common).includes('other')).toBe(false)
      if (common < MARKED_LINES && common < Math.min(a.length, b.length)) expect(isOther).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('logs of other names are not known, and marks come back from their text', () => {
  const logs = new KnownLogs(KEYS)
  read(logs, 'abc')
  expect(read(new KnownLogs({ ...KEYS, names: 'm' }, logs.all), 'abd')).toEqual(['new', 'new', 'new'])
  expect(read(new KnownLogs(KEYS, logs.all), 'abd')).toEqual(['same', 'same', 'other'])
  const marks = new LineMarks(logs.all[0]!.marks)
  const second = linesOf('ab')[1]!.digest()
  expect([marks.count, marks.upTo(2).count, marks.hasAt(2, second), marks.hasAt(3, second)]).toEqual([
    3,
    2,
    true,
    false,
  ])
})
