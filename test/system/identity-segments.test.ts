import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commonFingerprints } from '../../src/core/ingest/fingerprint.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { groupsOf, joinSegments } from '../../src/flows/settle/join-segments.ts'
import { keepingWindow, readingWindow } from '../../src/flows/settle/identity-window.ts'
import {
  insertIdentitySegment,
  type IdentitySegment,
  readIdentitySegments,
} from '../../src/store/identity-segments.ts'
import { run } from '../../src/store/query.ts'
import { testDatabase, type TestDatabase } from '../database.ts'

// What was settled is remembered as sorted fingerprints: however they are cut into segments, the same ones are found.

const DAY = 480_000 as Hour

async function all(
  of: AsyncGenerator<IdentitySegment>,
): Promise<readonly (readonly [number, readonly number[]])[]> {
  const found: (readonly [number, readonly number[]])[] = []
  for await (const { hour, fingerprints } of of) found.push([hour, [...fingerprints]])
  return found.sort(([a], [b]) => a - b)
}

describe('segments in the database', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await testDatabase()
  })
  afterAll(() => database.drop())

  function add(
    hour: number,
    buckets: readonly number[],
    ...fingerprints: readonly number[]
  ): Promise<unknown> {
    const sorted = Uint32Array.from(fingerprints).sort()
    return run(database.pool, insertIdentitySegment, {
      hour: hour as Hour,
      hours: 1,
      buckets,
      fingerprints: sorted,
    })
  }
  function read(from: number, to: number, buckets: readonly number[]) {
    const range = { from: from as Hour, to: to as Hour, buckets, after: 0 }
    return all(readIdentitySegments(database.pool, range))
  }

  test('are read whole, large ones too, by hours and by buckets', async () => {
    const many = Array.from({ length: 60_000 }, (_, index) => index * 70_000)
    await add(DAY, [0, 63], ...many)
    await add(DAY + 1, [64, 127], 1, 2 ** 32 - 1)
    await add(DAY + 30, [0, 255], 7)
    expect(await read(DAY, DAY + 2, [3])).toEqual([[DAY, many]])
    expect(await read(DAY, DAY + 2, [64, 65])).toEqual([[DAY + 1, [1, 2 ** 32 - 1]]])
    expect(await read(DAY + 1, DAY + 31, [100])).toEqual([
      [DAY + 1, [1, 2 ** 32 - 1]],
      [DAY + 30, [7]],
    ])
    expect(await read(DAY + 31, DAY + 40, [100])).toEqual([])
  })

  test('of a settled day are joined by range of buckets, and hold the same as before', async () => {
    const day = DAY + 48
    for (let hour = 0; hour < 24; hour++) {
      await add(day + hour, [0, 127], hour, 1_000 - hour)
      await add(day + hour, [128, 255], 5_000 + hour)
      if (hour < 9) await add(day + hour, [64, 127], 2_000 + hour)
    }
    const before = [await read(day, day + 24, [0]), await read(day, day + 24, [255])]
    expect(await joinSegments(database.pool, day as Hour, () => false)).toBe(0)
    expect(await joinSegments(database.pool, (day + 24) as Hour, () => false)).toBe(2)
    const after = [await read(day, day + 24, [0]), await read(day, day + 24, [255])]
    expect(after.map((found) => found.map(([hour]) => hour))).toEqual([[day], [day]])
    const values = (found: readonly (readonly [number, readonly number[]])[]) =>
      found.flatMap(([, list]) => list).sort((a, b) => a - b)
    expect(values(after[0]!)).toEqual([
      ...values(before[0]!),
      ...Array.from({ length: 9 }, (_, n) => 2_000 + n),
    ])
    expect(values(after[1]!)).toEqual(values(before[1]!))
    // A joined segment is found from any hour of its day, and not from outside.
    expect(await read(day + 23, day + 24, [200])).toEqual(after[1])
    expect(await read(day + 24, day + 25, [200])).toEqual([])
    expect(await joinSegments(database.pool, (day + 24) as Hour, () => false)).toBe(0)
  })

  test('are read once for several hours, with what was added in between', async () => {
    const start = DAY + 200
    await add(start, [8, 8], 1)
    const keeping = keepingWindow(10)
    const around = (hour: number, window = keeping) => all(window.around(database.pool, [8], [hour as Hour]))
    expect(await around(start + 5)).toEqual([[start, [1]]])
    await add(start + 5, [8, 8], 2)
    for (const hour of [start + 6, start + 11, start + 30, start - 2]) {
      expect(await around(hour)).toEqual(await around(hour, readingWindow(10)))
    }
  })
})

test('segments of a day fall into groups that share no bucket', () => {
  const part = (fromBucket: number, toBucket: number) => {
    return { day: DAY, fromBucket, toBucket, hours: 1, fingerprints: 1 }
  }
  const parts = [part(0, 63), part(0, 31), part(32, 63), part(64, 64), part(128, 255), part(130, 130)]
  expect(groupsOf(parts).map((group) => group.length)).toEqual([3, 1, 2])
})

test('common fingerprints are those that both lists have, once each, whatever their lengths', () => {
  const list = (max: number) => fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: max })
  fc.assert(
    fc.property(list(8), list(500), fc.boolean(), (one, other, swap) => {
      const [a, b] = [Uint32Array.from(one).sort(), Uint32Array.from(other).sort()]
      const common = [...new Set(one)].filter((value) => other.includes(value)).sort((x, y) => x - y)
      expect(swap ? commonFingerprints(b, a) : commonFingerprints(a, b)).toEqual(common)
    }),
  )
})
