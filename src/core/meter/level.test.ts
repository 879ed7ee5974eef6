import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import { decimal, plain } from '../money/decimal.ts'
import { endOf, type Hour, parseHour, startOf } from '../time/hour.ts'
import { type Instant, parseInstant } from '../time/instant.ts'
import { carriedOver, compareLevels, integrate, type Level } from './level.ts'
import { integrateHours } from './level-hours.ts'

const HOUR = parseHour('2025-07-28T03Z')!

/** Levels from a table, in the order of arrival. Absent cells of a project, dataset or region are null. */
function levelsOf(text: string): Level[] {
  return table<'time' | 'bytes' | 'series' | 'region' | 'source' | 'id'>(text).map((row) => {
    const [project, dataset] = row.series.split('/').map((name) => name || null)
    const { source, id } = row
    const at = parseInstant(`2025-07-28T${row.time}Z`) as Instant
    return {
      at,
      bytes: decimal(row.bytes),
      project: project!,
      dataset: dataset!,
      region: row.region || null,
      source,
      id,
    }
  })
}

function storedIn(levels: readonly Level[], hour: Hour = HOUR): string[] {
  return integrate(levels.toSorted(compareLevels), hour).map(
    ({ project, region, quantity }) => `${project ?? '-'} ${region ?? '-'} ${plain(quantity)}`,
  )
}

const CASES: readonly { because: string; levels: string; stored: string[] }[] = [
  {
    because: 'a level from the start of the hour lasts all of it: 10 x 3,600,000',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    |        | s      | 1`,
    stored: ['p - 36000000'],
  },
  {
    because: 'a level from before carries over without a new event',
    levels: `
      time         | bytes | series | region | source | id
      00:15:00.000 | 10    | p/d    |        | s      | 1`,
    stored: ['p - 36000000'],
  },
  {
    because: 'the last one before the hour is in force at its start',
    levels: `
      time         | bytes | series | region | source | id
      02:59:59.999 | 7     | p/d    |        | s      | 1
      00:15:00.000 | 10    | p/d    |        | s      | 2`,
    stored: ['p - 25200000'],
  },
  {
    because: 'a level of the first instant of the next hour adds nothing',
    levels: `
      time         | bytes | series | region | source | id
      04:00:00.000 | 10    | p/d    |        | s      | 1`,
    stored: [],
  },
  {
    because: 'one millisecond counts as one: 10',
    levels: `
      time         | bytes | series | region | source | id
      03:59:59.999 | 10    | p/d    |        | s      | 1`,
    stored: ['p - 10'],
  },
  {
    because: 'a change in the middle: 10 x 1,800,000 + 4 x 1,800,000',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    |        | s      | 1
      03:30:00.000 | 4     | p/d    |        | s      | 2`,
    stored: ['p - 25200000'],
  },
  {
    because: 'deleted after 45 minutes: 10 x 2,700,000',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    |        | s      | 1
      03:45:00.000 | 0     | p/d    |        | s      | 2`,
    stored: ['p - 27000000'],
  },
  {
    because: 'nothing stored, no quantity',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 0     | p/d    |        | s      | 1`,
    stored: [],
  },
  {
    because: 'two levels at one instant: the greater source wins',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 1     | p/d    |        | t      | 1
      03:00:00.000 | 2     | p/d    |        | s      | 2`,
    stored: ['p - 3600000'],
  },
  {
    because: 'two levels at one instant from one source: the greater id wins, by bytes (9 after 10)',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 1     | p/d    |        | s      | 9
      03:00:00.000 | 2     | p/d    |        | s      | 10`,
    stored: ['p - 3600000'],
  },
  {
    because: 'datasets of a project are levels of their own, and one quantity: (10 + 1) x 3,600,000',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    |        | s      | 1
      03:00:00.000 | 1     | p/e    |        | s      | 2`,
    stored: ['p - 39600000'],
  },
  {
    because: 'no dataset is a series of its own, beside the named ones',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    |        | s      | 1
      03:00:00.000 | 1     | p/     |        | s      | 2
      03:30:00.000 | 0     | p/     |        | s      | 3`,
    stored: ['p - 37800000'],
  },
  {
    because: 'projects and regions are lines of their own, none first',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 1     | q/d    | eu     | s      | 1
      03:00:00.000 | 2     | p/d    | us     | s      | 2
      03:00:00.000 | 4     | p/e    |        | s      | 3
      03:00:00.000 | 8     | /d     | eu     | s      | 4`,
    stored: ['- eu 28800000', 'p - 14400000', 'p us 7200000', 'q eu 3600000'],
  },
  {
    because: 'each region of a dataset has its own levels: one that moves ends with 0 where it was',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    | eu     | s      | 1
      03:30:00.000 | 0     | p/d    | eu     | s      | 3
      03:30:00.000 | 10    | p/d    | us     | s      | 2`,
    stored: ['p eu 18000000', 'p us 18000000'],
  },
  {
    because: 'levels of two regions at one instant both count, and no region is one of its own',
    levels: `
      time         | bytes | series | region | source | id
      03:00:00.000 | 10    | p/d    | eu     | s      | 1
      03:00:00.000 | 1     | p/d    | us     | s      | 1
      03:00:00.000 | 5     | p/d    |        | s      | 1`,
    stored: ['p - 18000000', 'p eu 36000000', 'p us 3600000'],
  },
  {
    because: 'sums are exact above 2^53',
    levels: `
      time         | bytes                          | series | region | source | id
      03:00:00.000 | 123456789012345678901234567890 | p/d    |        | s      | 1
      03:59:59.999 | 123456789012345678901234567891 | p/d    |        | s      | 2`,
    stored: ['p - 444444440444444444044444444404000001'],
  },
]

for (const { because, levels, stored } of CASES) {
  test(`stored during 03Z: ${because}`, () => {
    expect(storedIn(levelsOf(levels))).toEqual(stored)
  })
}

/** Levels around the hour, with many equal instants, and sources and ids whose order is not that of arrival. */
const anyLevel: fc.Arbitrary<Level> = fc.record({
  project: fc.constantFrom(null, 'p', 'q'),
  dataset: fc.constantFrom(null, 'd'),
  region: fc.constantFrom(null, 'eu'),
  at: fc
    .oneof(fc.integer({ min: -7_200_000, max: 7_200_000 }), fc.constantFrom(-1, 0, 1, 3_599_999, 3_600_000))
    .map((offset) => (startOf(HOUR) + offset) as Instant),
  source: fc.constantFrom('s', 't', '\u{1f9fe}', '\uff21'),
  id: fc.constantFrom('9', '10'),
  bytes: fc.bigInt(0n, 10n ** 30n).map((bytes) => decimal(String(bytes))),
})

const anyLevels = fc.uniqueArray(anyLevel, {
  maxLength: 12,
  selector: (level) => JSON.stringify([seriesOf(level), level.at, level.source, level.id]),
})

/** Time, source and id as bytes that compare like them. */
function key(level: Level): Buffer {
  return Buffer.from(`${String(level.at).padStart(15, '0')}\0${level.source}\0${level.id}`)
}

function seriesOf({ project, dataset, region }: Level): string {
  return JSON.stringify([project, dataset, region])
}

/** The level in force at an instant, as ARCHITECTURE.md says it: the greatest (time, source, id) at or before it. */
function levelAt(series: readonly Level[], at: number): Level | undefined {
  return series
    .filter((level) => level.at <= at)
    .reduce<Level | undefined>(
      (best, level) => (best && Buffer.compare(key(best), key(level)) > 0 ? best : level),
      undefined,
    )
}

/** Slow and plain: from each instant at which something changes to the next, in integers. */
function oracle(levels: readonly Level[], hour: Hour): string[] {
  const sums = new Map<string, bigint>()
  const changes = levels.map(({ at }) => at).filter((at) => at > startOf(hour) && at < endOf(hour))
  const instants = [...new Set([startOf(hour), ...changes, endOf(hour)])].sort((a, b) => a - b)
  for (const name of new Set(levels.map(seriesOf))) {
    const series = levels.filter((level) => seriesOf(level) === name)
    for (const [index, from] of instants.slice(0, -1).entries()) {
      const level = levelAt(series, from)
      if (!level) continue
      const place = `${level.project ?? '-'} ${level.region ?? '-'}`
      const added = BigInt(plain(level.bytes)) * BigInt(instants[index + 1]! - from)
      sums.set(place, (sums.get(place) ?? 0n) + added)
    }
  }
  return [...sums]
    .filter(([, sum]) => sum > 0n)
    .map(([place, sum]) => `${place} ${sum}`)
    .sort()
}

// Guarantee: storage is charged for exactly what was stored, whatever the order in which levels arrived.
test('the integral is exact, and the order of arrival does not matter', () => {
  fc.assert(
    fc.property(anyLevels, (levels) => {
      expect(storedIn(levels).sort()).toEqual(oracle(levels, HOUR))
      expect(storedIn(levels.toReversed())).toEqual(storedIn(levels))
    }),
  )
})

// Guarantee: a level is charged until the next one, however many hours without an event lie between.
test('carrying levels from hour to hour gives the same as knowing all of them', () => {
  fc.assert(
    fc.property(anyLevels, (levels) => {
      const all = levels.toSorted(compareLevels)
      let carried: readonly Level[] = []
      for (const offset of [-3, -2, -1, 0, 1, 2, 3]) {
        const hour = (HOUR + offset) as Hour
        const own = all.filter(({ at }) => at >= startOf(hour) && at < endOf(hour))
        const known = [...carried, ...own].sort(compareLevels)
        expect(integrate(known, hour)).toEqual(integrate(all, hour))
        carried = carriedOver(known, hour)
        expect(carried).toEqual(carriedOver(all, hour))
      }
    }),
  )
})

// Guarantee: hours that are computed together come to what each comes to by itself.
test('many hours at once are what each of them is alone', () => {
  const offset = fc.integer({ min: -4, max: 4 })
  fc.assert(
    fc.property(anyLevels, offset, offset, (levels, one, other) => {
      const all = levels.toSorted(compareLevels)
      const [from, to] = [HOUR + Math.min(one, other), HOUR + Math.max(one, other)] as [Hour, Hour]
      const alone: string[] = []
      for (let hour = from; hour <= to; hour = (hour + 1) as Hour) {
        for (const { project, region, quantity } of integrate(all, hour)) {
          alone.push(`${hour} ${project} ${region} ${plain(quantity)}`)
        }
      }
      const together = [...integrateHours(all, from, to)].map(
        ({ hour, project, region, quantity }) => `${hour} ${project} ${region} ${plain(quantity)}`,
      )
      expect(together.sort()).toEqual(alone.sort())
    }),
    { numRuns: 1_000 },
  )
})

// Guarantee: a level that is late by a year costs an account of 100,000 series far less than each of its hours would alone.
test('a year of 100,000 series costs less than 50 hours one by one', () => {
  const year = 366 * 24
  const levels = Array.from({ length: 100_000 }, (_, index): Level => {
    const dataset = String(index).padStart(6, '0')
    return {
      project: null,
      dataset,
      region: null,
      at: startOf(HOUR),
      source: 's',
      id: '1',
      bytes: decimal('7'),
    }
  })
  const ended: Level = { ...levels[0]!, dataset: 'z', at: (startOf(HOUR) + 3_600_000) as Instant }
  const clock = (work: () => void) => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  let hours: string[] = []
  const together = clock(() => {
    hours = [...integrateHours([...levels, ended], HOUR, (HOUR + year) as Hour)].map(({ quantity }) =>
      plain(quantity),
    )
  })
  const alone = Math.min(...[1, 2, 3].map(() => clock(() => integrate(levels, HOUR))))
  expect(hours.slice(0, 2)).toEqual(['2520000000000', '2520025200000'])
  expect(hours).toHaveLength(year + 1)
  expect(together / alone).toBeLessThan(50)
})

test('levels of 0 bytes are not carried over: nothing would ever come of them', () => {
  const levels = levelsOf(`
    time         | bytes | series | region | source | id
    03:00:00.000 | 5     | p/d    |        | s      | 1
    03:30:00.000 | 0     | p/d    |        | s      | 2
    03:10:00.000 | 6     | p/e    |        | s      | 3
    04:00:00.000 | 7     | p/e    |        | s      | 4`)
  expect(carriedOver(levels, HOUR).map(({ id }) => id)).toEqual(['3'])
})
