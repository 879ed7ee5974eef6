import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { plain } from '../../src/core/money/decimal.ts'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { listLevelsNow, type SeriesPosition } from '../../src/flows/read/list-levels-now.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { differences, graceUntil, settleAll } from '../simulation/drive.ts'
import { type Deployment, deployment } from './deployment.ts'
import { HISTORIES, type Said } from './storage-histories.ts'

const HOUR_MS = 3_600_000
const NOW = hourOf(Date.now() as Instant)
/** Bytes in these steps make amounts whose last digit is exact: 1 step for 1 ms is 10^-9 GB-hours. */
const STEP = 3_600_000n

interface Prices {
  /** Hours from the start of the deployment; before the first it is free. */
  readonly [fromHour: number]: string
}

/** A deployment whose live hours began some hours ago, with storage free at first. */
async function storing(hoursAgo: number, prices: Prices): Promise<Stored> {
  const first = (NOW - hoursAgo) as Hour
  const dir = mkdtempSync(join(tmpdir(), 'farthing-storage-'))
  const book = join(dir, 'prices.json')
  const terms = Object.entries(prices).map(([from, price]) => {
    return { from: formatHourStart((first + Number(from)) as Hour), price }
  })
  const free = { from: '2020-01-01T00:00:00Z', free: 'until announced' }
  const rate = { unit: 'byte', per: 'GB-hour', prices: [free, ...terms] }
  const items = { Index: { component: 'storage', rates: { default: rate } } }
  writeFileSync(book, JSON.stringify({ priceBook: 'storage', currency: 'USD', items }))
  const deployed = await deployment(first, book)
  rmSync(dir, { recursive: true })
  return { deployed, first, prices }
}

interface Stored {
  readonly deployed: Deployment
  readonly first: Hour
  readonly prices: Prices
}

let ids = 0
function eventOf({ first }: Stored, account: string, said: Said): Json {
  const { minute, steps, dataset = 'd', project = 'p', source = 's', id = `l${(ids += 1)}` } = said
  const time = formatInstant((first * HOUR_MS + minute * 60_000) as Instant)
  const place = { project, dataset, ...(said.region === undefined ? {} : { region: said.region }) }
  const data = { ...place, bytes: String(BigInt(steps) * STEP) }
  return { specversion: '1.0', id, source, type: 'farthing.storage', subject: account, time, data }
}

type Charged = readonly string[]

/**
 * What should be charged, made by PostgreSQL from the events alone: of each usage hour and project the byte-milliseconds
 * and their price, of all hours that are settled.
 */
async function should({ deployed, first, prices }: Stored): Promise<Charged> {
  const { rows } = await deployed.pool.query<{ line: string }>(
    `with level as (
       select account, at, source, id, data::jsonb ->> 'project' as project, data::jsonb ->> 'dataset' as dataset,
              coalesce(data::jsonb ->> 'region', '') as region,
              (data::jsonb ->> 'bytes')::numeric as bytes
         from usage_event e
        where type = 'farthing.storage'
          and not exists (select from conflict_event c
                           where c.account = e.account and c.hour = e.hour and c.id = e.id and c.source = e.source)),
     span as (
       select *, lead(at) over (partition by account, project, dataset, region
                                order by at, source collate "C", id collate "C") as until
         from level),
     part as (
       select account, project, region, hour,
              bytes * (least(coalesce(until, (hour + 1) * 3600000::bigint), (hour + 1) * 3600000::bigint)
                       - greatest(at, hour * 3600000::bigint)) as stored
         from span, (select settled_until from deployment) mark,
              generate_series(at / 3600000, least((coalesce(until, 9e15::bigint) - 1) / 3600000, settled_until - 1)) as hour
        where until is null or until > at),
     price as (
       select t.from_hour + $1::int as from_hour, t.price,
              coalesce(lead(t.from_hour) over (order by t.from_hour) + $1::int, 2147483647) as to_hour
         from (select * from unnest($2::int[], $3::numeric[])
               union all select -1000000, 0) as t (from_hour, price))
     select format('%s %s %s%s %s = %s', account, hour - $1::int, project, region, trim_scale(sum(stored)),
                   trim_scale(sum(stored) / 3600000 / 1000000000 * max(price))) as line
       from part join price on hour >= from_hour and hour < to_hour
      group by account, project, region, hour
     having sum(stored) > 0`,
    [first, Object.keys(prices), Object.values(prices)],
  )
  return rows.map(({ line }) => line).toSorted()
}

/** What all bills and corrections charge together. */
async function charged({ deployed, first }: Stored): Promise<Charged> {
  const { rows } = await deployed.pool.query<{ line: string }>(
    `select format('%s %s %s%s %s = %s', account, usage_hour - $1::int, project, region, trim_scale(sum(quantity)),
                   trim_scale(sum(amount))) as line
       from bill_line
      where component = 'storage'
      group by account, project, region, usage_hour
     having sum(quantity) <> 0 or sum(amount) <> 0`,
    [first],
  )
  return rows.map(({ line }) => line).toSorted()
}

/** Those of one account. */
function of(index: number, lines: Charged): Charged {
  return lines.filter((line) => line.startsWith(`account-${index} `))
}

/** Settle the hours before this one, from the start of the deployment, as if they had just ended. */
function settleTo({ deployed, first }: Stored, hour: number): Promise<number> {
  return deployed.settle({ graceMs: graceUntil(first + hour) })
}

async function expectExact(stored: Stored): Promise<void> {
  await settleAll(stored.deployed)
  const [wanted, is] = [await should(stored), await charged(stored)]
  expect(wanted.length).toBeGreaterThan(0)
  expect(is).toEqual(wanted)
  expect(await differences(stored.deployed.pool)).toEqual([])
}

// Free for four days, then priced, then dearer.
const TWO_WEEKS: Prices = { 96: '0.01', 200: '0.025' }

// Guarantee: what is charged for stored data is the exact integral of its levels, whenever and in whatever order they
// become known, at the price of each hour.
describe('the sum of lines is the exact integral', () => {
  let stored: Stored
  beforeAll(async () => {
    stored = await storing(13 * 24, TWO_WEEKS)
    const accounts = HISTORIES.map(({ rounds }, index) => ({ account: `account-${index}`, rounds }))
    // All at once, in the order of the hours up to which is settled.
    const rounds = accounts.flatMap(({ account, rounds: own }) =>
      own.map((round, index) => ({ account, round, after: own[index - 1]?.settleTo ?? 0 })),
    )
    for (const { account, round, after } of rounds.toSorted((a, b) => a.after - b.after)) {
      if (after > 0) await settleTo(stored, after)
      const outcomes = await stored.deployed.send(round.send.map((said) => eventOf(stored, account, said)))
      const wanted = round.outcomes ?? round.send.map(() => 'accepted')
      if (outcomes.join() !== wanted.join()) throw new Error(`${account}: ${outcomes.join()}`)
    }
    await settleAll(stored.deployed)
  })
  afterAll(() => stored.deployed.close())

  for (const [index, { name }] of HISTORIES.entries()) {
    test(`of ${name}`, async () => {
      const [wanted, is] = [of(index, await should(stored)), of(index, await charged(stored))]
      expect(wanted.length).toBeGreaterThan(0)
      expect(is).toEqual(wanted)
    })
  }

  test('and every bill follows from its facts', async () => {
    expect(await differences(stored.deployed.pool)).toEqual([])
  })

  test('nothing is charged for the free time, and the price of each hour after it', async () => {
    const lines = (await charged(stored)).filter((line) => line.startsWith('account-6 '))
    const at = (hour: number) => lines.find((line) => line.startsWith(`account-6 ${hour} `))
    // 11 steps of 3,600,000 bytes for an hour are 0.0396 GB-hours.
    expect(at(95)).toBe('account-6 95 p 142560000000000 = 0')
    expect(at(96)).toBe('account-6 96 p 142560000000000 = 0.000396')
    expect(at(250)).toBe('account-6 250 p 25920000000000 = 0.00018')
  })
})

describe('any history of levels', () => {
  const said = fc.record({
    minute: fc.integer({ min: 0, max: 30 * 60 }),
    steps: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000 })),
    dataset: fc.constantFrom('d', 'e'),
    project: fc.constantFrom('p', 'q'),
    region: fc.constantFrom(undefined, '/eu'),
    source: fc.constantFrom('s', 't'),
  })
  const round = fc.record({
    accounts: fc.array(fc.array(said, { maxLength: 4 }), { minLength: 4, maxLength: 4 }),
    hours: fc.integer({ min: 0, max: 14 }),
    again: fc.boolean(),
  })

  test('is charged exactly, and restated exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 5 }), async (rounds) => {
        const stored = await storing(31, { 7: '0.01', 19: '0.0375' })
        const sent: Json[] = []
        let hour = 0
        try {
          for (const { accounts, hours, again } of rounds) {
            const events = accounts.flatMap((own, index) =>
              own.map((one) => eventOf(stored, `a${index}`, one)),
            )
            sent.push(...events)
            await stored.deployed.send(again ? [...sent].reverse() : events)
            hour = Math.min(hour + hours, 31)
            await settleTo(stored, hour)
          }
          await settleAll(stored.deployed)
          expect(await charged(stored)).toEqual(await should(stored))
          expect(await differences(stored.deployed.pool)).toEqual([])
        } finally {
          await stored.deployed.close()
        }
      }),
      // Shrinking would settle hundreds of histories: the seed replays this one.
      { numRuns: 5, endOnFailure: true },
    )
  })
})

describe('the levels that are in force now', () => {
  test('are there before and after they are billed, with their age, page by page', async () => {
    const stored = await storing(5, { 0: '0.01' })
    const { deployed, first } = stored
    const send = (...levels: readonly Said[]) =>
      deployed.send(levels.map((one) => eventOf(stored, 'acme', one)))
    const now = async (limit = 100) => {
      const items: string[] = []
      for (let after: SeriesPosition | undefined; ;) {
        const read = await listLevelsNow(deployed.pool, { account: 'acme', after, limit })
        if (!read.ok) throw new Error(read.detail)
        for (const { project, dataset, region, bytes, at, source } of read.levels.items) {
          const minute = (at - first * HOUR_MS) / 60_000
          items.push(
            `${project}/${dataset}${region ?? ''} ${BigInt(plain(bytes)) / STEP} since ${minute} by ${source}`,
          )
        }
        if (read.levels.next === null) return items
        after = read.levels.next
      }
    }
    expect(await now()).toEqual([])
    await send(
      { minute: 10, steps: 1 },
      { minute: 20, steps: 2, dataset: 'a' },
      { minute: 20, steps: 3, project: 'z' },
      { minute: 15, steps: 6, region: '/eu' },
    )
    const all = [
      'p/a 2 since 20 by s',
      'p/d 1 since 10 by s',
      'p/d/eu 6 since 15 by s',
      'z/d 3 since 20 by s',
    ]
    expect(await now()).toEqual(all)
    await settleTo(stored, 3)
    expect(await now()).toEqual(all)
    for (const limit of [1, 2, 3]) expect(await now(limit)).toEqual(all)
    // Late, older than what is in force; later; ended; at the same instant by a greater source; a new series between.
    await send(
      { minute: 5, steps: 9 },
      { minute: 70, steps: 4, dataset: 'a', id: 'billed' },
      { minute: 80, steps: 0, project: 'z' },
      { minute: 10, steps: 7, source: 't' },
      { minute: 90, steps: 8, dataset: 'b' },
    )
    const later = [
      'p/a 4 since 70 by s',
      'p/b 8 since 90 by s',
      'p/d 7 since 10 by t',
      'p/d/eu 6 since 15 by s',
    ]
    for (const limit of [1, 2, 3, 100]) expect(await now(limit)).toEqual(later)
    await settleAll(deployed)
    for (const limit of [1, 2, 3, 100]) expect(await now(limit)).toEqual(later)
    await expectExact(stored)
    await send({ minute: 100, steps: 5, dataset: 'b', id: 'unbilled' })
    expect(await now()).toEqual([
      'p/a 4 since 70 by s',
      'p/b 5 since 100 by s',
      'p/d 7 since 10 by t',
      'p/d/eu 6 since 15 by s',
    ])
    // Voided: at once, whether a bill has it or not.
    const key = (id: string, minute: number) => {
      const hour = (first + Math.floor(minute / 60)) as Hour
      return { hour, bucket: bucketOf('acme'), account: 'acme', id, source: 's' }
    }
    const order = { actor: 'cli:test', reason: 'by mistake', what: 'of a test' }
    const { decisions } = await voidEvents(deployed.pool, order, [key('unbilled', 100), key('billed', 70)])
    expect(decisions).toHaveLength(2)
    const without = [
      'p/a 2 since 20 by s',
      'p/b 8 since 90 by s',
      'p/d 7 since 10 by t',
      'p/d/eu 6 since 15 by s',
    ]
    for (const limit of [1, 2, 100]) expect(await now(limit)).toEqual(without)
    await settleAll(deployed)
    expect(await now()).toEqual(without)
    await deployed.close()
  })
})
