import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Instant } from '../../src/core/time/instant.ts'
import { instantArray, integerArray, textArray } from '../../src/store/binary-arrays.ts'
import { type TestDatabase, testDatabase } from '../database.ts'

// Guarantee: what is sent as an array of bytes is in the database what it was here: every text, every null, every number
// of its type, every instant.

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

async function sent(type: string, array: Buffer, as = 'value::text'): Promise<unknown[]> {
  const text = `select ${as} as value from unnest($1::${type}[]) with ordinality as v (value, n) order by n`
  const { rows } = await database.pool.query<{ value: unknown }>(text, [array])
  return rows.map(({ value }) => value)
}

const WITHOUT_NUL = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))

test('texts with quotes, backslashes, braces and any characters, and nulls', async () => {
  const named = ['', 'NULL', '"{a,\\"b\\"}"', '\\\\', '\n\t\r', 'ü€😀', '{}', null]
  expect(await sent('text', textArray(named))).toEqual(named)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(WITHOUT_NUL)), async (values) => {
      expect(await sent('text', textArray(values))).toEqual(values)
    }),
    { numRuns: 100 },
  )
})

test.each([
  ['smallint', -32_768, 32_767],
  ['int', -(2 ** 31), 2 ** 31 - 1],
  ['bigint', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
] as const)('%s from %d to %d', async (type, min, max) => {
  const numbers = fc.array(fc.oneof(fc.constantFrom(null, min, max, -1, 0, 1), fc.integer({ min, max })))
  await fc.assert(
    fc.asyncProperty(numbers, async (values) => {
      expect(await sent(type, integerArray(type, values))).toEqual(
        values.map((value) => value?.toString() ?? null),
      )
    }),
    { numRuns: 100 },
  )
})

test('instants to the millisecond, before and after the year in which PostgreSQL begins to count', async () => {
  const instants = ['1970-01-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z', '2000-01-01T00:00:00.000Z']
  const now = ['2026-11-24T08:15:30.123Z', '9999-12-31T23:59:59.999Z']
  const all = [...instants, ...now].map((text) => Date.parse(text) as Instant)
  const asMs = '(extract(epoch from value) * 1000)::bigint::text'
  expect(await sent('timestamptz', instantArray(all), asMs)).toEqual(all.map(String))
})
