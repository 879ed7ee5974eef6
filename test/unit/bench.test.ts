import { describe, expect, test } from 'vitest'
import { benchCommand, type What } from '../../bench/command.ts'
import type { BenchOptions } from '../../bench/options.ts'
import { median, quantile, ratios } from '../../bench/figures.ts'
import { makeBodies } from '../../bench/ingest/bodies.ts'
import { partLines, readable } from '../../bench/report.ts'
import { readTimings } from '../../bench/run/psql.ts'
import { table } from '../table.ts'

for (const { samples, middle, p99 } of table<'samples' | 'middle' | 'p99'>(`
  samples   | middle | p99
  7         | 7      | 7
  9 1       | 5      | 9
  3 10 2    | 3      | 10
  4 1 3 2   | 2.5    | 4
  none      | NaN    | NaN
`)) {
  test(`of ${samples} the median is ${middle}, the 99th percentile ${p99}`, () => {
    const numbers = samples === 'none' ? [] : samples.split(' ').map(Number)
    expect(String(median(numbers))).toBe(middle)
    expect(String(quantile(numbers, 0.99))).toBe(p99)
  })
}

test('ratios pair what was measured in one round', () => {
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3])
  expect(() => ratios([1], [1, 2])).toThrow(/round by round/)
})

for (const { value, shown } of table<'value' | 'shown'>(`
  value     | shown
  0.1234    | 0.12
  2.5       | 2.50
  12.34     | 12.3
  123.45    | 123
  1234567.8 | 1,234,568
  NaN       | -
`)) {
  test(`${value} is shown as ${shown}`, () => {
    expect(readable(Number(value))).toBe(shown)
  })
}

test('a part is a table with median, least and most', () => {
  const figures = [
    { name: 'Farthing', unit: 'events/s', samples: [40_000, 50_000, 42_000] },
    { name: 'Farthing / COPY', unit: 'x', samples: [0.5, 0.4], target: 'at least 0.4' },
  ]
  expect(partLines({ title: 'Ingest', figures }).map(({ text }) => text)).toEqual([
    '',
    'Ingest',
    'measured         median   least    most  unit      target',
    'Farthing         42,000  40,000  50,000  events/s',
    'Farthing / COPY    0.45    0.40    0.50  x         at least 0.4',
  ])
})

test("psql's own clock is read, command by command", () => {
  expect(readTimings('Time: 12.345 ms\nTime: 61000.000 ms (01:01.000)\n')).toEqual([0.012345, 61])
})

describe('the command line', () => {
  test('measures everything unless told', async () => {
    expect(await parse()).toEqual({ what: 'all', choices: {} })
    expect(await parse('settle', '--events', '2000000', '--accounts', '200000', '--json')).toEqual({
      what: 'settle',
      choices: { events: 2_000_000, accounts: 200_000, json: true },
    })
  })

  test('says what is wrong', async () => {
    expect(await parse('ingset')).toMatch(
      /Allowed choices are ingest, settle, processes, window, scale, sustained, fairness, floods, log, all/,
    )
    expect(await parse('--rounds', '0')).toMatch(/'--rounds <number>'.*whole number from 1 on/)
    expect(await parse('--events', '1e6')).toMatch(/whole number/)
  })
})

describe('bodies of a load', () => {
  const load = { seed: 3, hour: '2025-07-28T03', accounts: 10, events: 1_000 }
  test('hold every event once when nothing is repeated', () => {
    const bodies = makeBodies({ ...load, batch: 300, repeats: 0 })
    expect(bodies.map((body) => idsOf(body).length)).toEqual([300, 300, 300, 100])
    expect(new Set(bodies.flatMap(idsOf)).size).toBe(1_000)
  })

  test('repeat events of earlier bodies, about as often as asked for', () => {
    const bodies = makeBodies({ ...load, batch: 100, repeats: 0.1 })
    const ids = bodies.map(idsOf)
    expect(ids.flat().length).toBe(1_000)
    const fresh = new Set(ids.flat()).size
    expect(fresh).toBeGreaterThan(870)
    expect(fresh).toBeLessThan(950)
    for (const body of ids) expect(new Set(body).size).toBeGreaterThan(95)
  })

  test('of one event are that event', () => {
    const [first] = makeBodies({ ...load, batch: 1, repeats: 0 })
    expect(JSON.parse(first!.toString())).toMatchObject({ specversion: '1.0' })
  })
})

/** What the command was told, or its complaints. */
async function parse(...argv: string[]) {
  let read: { what: What; choices: BenchOptions } | undefined
  const command = benchCommand(async (what, choices) => void (read = { what, choices }))
  const errors: string[] = []
  command.exitOverride().configureOutput({ writeErr: (text) => errors.push(text) })
  await command.parseAsync(argv, { from: 'user' }).catch(() => {})
  return read ?? errors.join('')
}

function idsOf(body: Buffer): readonly string[] {
  return (JSON.parse(body.toString()) as { id: string }[]).map(({ id }) => id)
}
