import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../bench/generate/random.ts'
import type { BillLine } from '../../src/core/bill/bill.ts'
import { groupBy } from '../../src/core/group-by.ts'
import { decimal, plain, sum } from '../../src/core/money/decimal.ts'
import type { FlatTerm } from '../../src/core/rate/rating/assess.ts'
import { price } from '../../src/core/rate/rating/price.ts'
import type { Quote } from '../../src/core/rate/rating/quote.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { createTrial, type TriedEvents } from '../../src/flows/ingest/dry-run.ts'
import { priceBookText, priceTable } from '../simulation/prices.ts'
import { pick, usageData } from '../simulation/usage.ts'
import { type Deployment, deployment } from './deployment.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

const NOW = hourOf(Date.now() as Instant)
const FIRST = (NOW - 3) as Hour
const ACCOUNTS = ['acme', 'globex', 'ümlaut'] as const

/** Rows of every table, tables with their partitions, and how far every sequence is. */
async function everything({ pool }: Pick<Deployment, 'pool'>): Promise<unknown> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'farthing'::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  const contents = []
  for (const { name } of tables) {
    const { rows } = await pool.query(
      `select count(*), md5(string_agg(t::text, '|' order by t::text)) as digest from ${name} t`,
    )
    contents.push([name, rows[0]])
  }
  const { rows: sequences } = await pool.query(
    'select sequencename, last_value from pg_sequences order by sequencename',
  )
  return { contents, sequences }
}

const BEFORE = [1, 2, 3, 40, 41]
const SINCE = [0, 0, 0, 1, 2, 3, 40, 41, 42, 43]

/** Events of every kind, so many hours ago: some were settled, some never used. Ids repeat within an hour. */
function randomEvents(random: Random, count: number, hoursAgo: readonly number[]): readonly Json[] {
  const events: Json[] = []
  while (events.length < count)
    events.push(random.chance(0.1) ? pick(random, [...events, oneEvent()]) : oneEvent())
  return events

  function oneEvent(): Json {
    const { type, data } = usageData(random)
    const hour = NOW - pick(random, hoursAgo)
    const time = formatInstant((startOf(hour as Hour) + random.below(4) * 100_000) as Instant)
    const subject = pick(random, ACCOUNTS)
    // An id belongs to an hour: a duplicate under another time is found at settlement, not before.
    const id = `${hour}-${random.below(count)}`
    return { specversion: '1.0', id, source: 's', type, subject, time, data }
  }
}

interface Counted extends Quote {
  readonly cycle: Hour
}

/** Of an account: what the tried events add to each line of its bills, as lines name it. */
function linesTried(
  tried: TriedEvents,
  events: readonly Json[],
  account: string,
): ReadonlyMap<string, readonly Counted[]> {
  const counted = tried.events.flatMap(({ quotes, cycle }, index) => {
    const { subject, time } = events[index] as { subject: string; time: string }
    if (subject !== account || cycle === null) return []
    const usageHour = hourOf(Date.parse(time) as Instant)
    return quotes
      .filter((each) => each.counted !== undefined)
      .map((each) => ({ ...each, cycle: cycle.cycle, usageHour }))
  })
  const name = ({ cycle, usageHour, rate, operation, project, region }: (typeof counted)[number]) =>
    JSON.stringify([cycle, usageHour, rate.item, rate.rate, operation, project, region])
  return groupBy(counted, name)
}

function lineName(cycle: Hour, line: BillLine): string {
  const { usageHour, item, rate, operation, project, region } = line
  return JSON.stringify([cycle, usageHour, item, rate, operation, project, region])
}

describe('a dry run, then sending for good', () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-dry-run-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  for (const seed of [11, 12, 13]) {
    test(`stores nothing, gives the outcomes of sending, and the amounts of the bills (seed ${seed})`, async () => {
      const book = join(folder, `book-${seed}.yaml`)
      writeFileSync(book, priceBookText(priceTable(FIRST)))
      const deployed = await deployment(FIRST, book)
      try {
        const random = seededRandom(seed)
        await deployed.send(randomEvents(random, 100, BEFORE))
        await deployed.settle({ graceMs: 0 })
        const events = randomEvents(random, 400, SINCE)
        const trial = createTrial({ pool: deployed.pool })
        const stored = await everything(deployed)
        const tried = await trial.tryEvents(
          events.map((raw) => ({ raw })),
          undefined,
        )
        expect(await everything(deployed)).toEqual(stored)
        const sent = await deployed.ingest.submit(
          events.map((raw) => ({ raw })),
          undefined,
        )
        if (!sent.ok) throw new Error(sent.detail)
        expect(tried.events.map(({ outcome, id, code, detail }) => ({ outcome, id, code, detail }))).toEqual(
          sent.results,
        )
        expect(new Set(sent.results.map(({ outcome }) => outcome)).size).toBe(5)
        expect(new Set(tried.events.map(({ cycle }) => cycle?.disposition))).toContain('late')
        expect(new Set(tried.events.map(({ cycle }) => cycle?.disposition))).toContain('backfill')
        // The open hour ends early, so that its bills can be seen.
        await deployed.settle({ graceMs: -3_600_000 })
        await expectBilled(deployed, tried, events)
      } finally {
        await deployed.close()
      }
    }, 30_000)
  }
})

type LineTotals = ReadonlyMap<string, readonly BillLine[]>

/** Lines of usage, without storage, by what they are about. */
async function totals(deployed: Deployment): Promise<ReadonlyMap<string, LineTotals>> {
  const all = new Map<string, LineTotals>()
  for (const account of ACCOUNTS) {
    const lines = (await deployed.billsOf(account)).flatMap(({ hour, lines: own }) =>
      own
        .filter(({ component }) => component !== 'storage')
        .map((line) => ({ name: lineName(hour, line), line })),
    )
    const byName = groupBy(lines, ({ name }) => name)
    all.set(account, new Map([...byName].map(([name, named]) => [name, named.map(({ line }) => line)])))
  }
  return all
}

/** The lines of the hours that were open are what was tried, with price and amount. */
async function expectBilled(
  deployed: Deployment,
  tried: TriedEvents,
  events: readonly Json[],
): Promise<void> {
  let compared = 0
  const after = await totals(deployed)
  for (const account of ACCOUNTS) {
    for (const [name, quotes] of linesTried(tried, events, account)) {
      const [line, ...tiers] = after.get(account)!.get(name) ?? []
      const waived = sum(quotes.map(({ counted }) => decimal(counted!.waived)))
      const quantity = sum(quotes.map(({ counted }) => decimal(counted!.quantity)))
      if (plain(waived) === '0' && plain(quantity) === '0') continue
      compared += 1
      if (line && line.position !== null) {
        // Each quote is of its event alone, from the position of the bills; together they lie further up in the tiers.
        const lines = [line, ...tiers]
        expect(plain(sum(lines.map((one) => decimal(one.quantity))))).toBe(plain(quantity))
        expect(plain(sum(lines.map((one) => decimal(one.waived))))).toBe(plain(waived))
        continue
      }
      const { rate, term } = quotes[0]!
      const priced = price(rate, term as FlatTerm, quantity)
      expect({ name, ...line }).toMatchObject({ name, ...priced, waived: plain(waived) })
      const pricing = sum(quotes.map(({ counted }) => decimal(counted!.pricingQuantity)))
      const amount = sum(quotes.map(({ counted }) => decimal(counted!.amount)))
      if (plain(pricing) === line!.pricingQuantity) expect(plain(amount)).toBe(line!.amount)
    }
  }
  expect(compared).toBeGreaterThan(50)
}

function faces(id: string, more: object = {}) {
  return requestEvent(id, {
    type: 'farthing.processing',
    data: { operation: 'DetectImageFaces', mode: 'sync', project: 'photos', quantities: { call: 3 } },
    ...more,
  })
}

describe('POST /v1/events?dryRun=true', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await testServer({ firstHour: FIRST })
  })
  afterAll(() => server.close())

  test('says item, rate, price and amount of each event, and the hour in which it would count', async () => {
    const { status, json } = await server.send([faces('f'), requestEvent('q')], {}, '?dryRun=true')
    expect(status).toBe(200)
    expect(json).toMatchObject({ accepted: 2, problems: [], dryRun: true, currency: 'USD' })
    expect(json.events[0]).toEqual({
      index: 0,
      id: 'f',
      outcome: 'accepted',
      code: null,
      detail: null,
      cycle: { from: expect.any(String), to: expect.any(String), disposition: 'live' },
      charges: [
        {
          component: 'processing',
          item: 'ImageDetect',
          rate: 'faces',
          operation: 'DetectImageFaces',
          project: 'photos',
          region: null,
          quantity: '3',
          unit: 'call',
          waived: '0',
          pricingQuantity: '0.003',
          pricingUnit: '1000 call',
          unitPrice: '0.028',
          listPrice: '0.028',
          priceList: null,
          tier: null,
          listTier: null,
          position: null,
          amount: '0.000084',
          amountPerHour: null,
          free: null,
          illustrative: false,
          priceFrom: expect.any(String),
          priceVersion: 1,
        },
      ],
    })
  })

  test('a level has its price, and an amount for each hour instead of an amount', async () => {
    const level = requestEvent('l', { type: 'farthing.storage', data: { bytes: '2000000000' } })
    const { json } = await server.send(level, {}, '?dryRun=true')
    expect(json.events[0].charges).toMatchObject([
      {
        component: 'storage',
        quantity: null,
        amount: null,
        unit: 'byte-millisecond',
        pricingUnit: 'GB-hour',
        unitPrice: '0',
        amountPerHour: '0',
        free: 'until announced',
      },
    ])
  })

  test('a waived call is counted, and costs nothing', async () => {
    const failed = requestEvent('w', { data: { operation: 'SimpleQuery', status: 503 } })
    const { json } = await server.send(failed, {}, '?dryRun=true')
    expect(json.events[0].charges).toMatchObject([{ quantity: '0', waived: '1', amount: '0' }])
  })

  test('repeats within the request and of what is stored are told; held and rejected ones say why', async () => {
    const stored = requestEvent('stored')
    await server.send(stored)
    const again = { ...stored, data: { operation: 'SimpleQuery', status: 404 } }
    const unknown = requestEvent('u', { data: { operation: 'Teleport', status: 200 } })
    const twin = requestEvent('twin')
    const batch = [stored, again, twin, twin, unknown, requestEvent('bad', { time: 'never' })]
    const { json } = await server.send(batch, {}, '?dryRun=true')
    expect(json.events.map(({ outcome, cycle }: never) => [outcome, cycle !== null])).toEqual([
      ['duplicate', false],
      ['conflict', false],
      ['accepted', true],
      ['duplicate', false],
      ['held', true],
      ['rejected', false],
    ])
    expect(json).toMatchObject({ accepted: 1, duplicates: 2, conflicts: 1, held: 1, rejected: 1 })
    expect(json.problems.map(({ code }: { code: string }) => code)).toEqual([
      'event/conflict',
      'held/unknown_operation',
      'event/invalid_time',
    ])
    expect((await server.ask('/v1/refused-events')).json.items).toEqual([])
    // Had anything been stored, it would be a duplicate now.
    expect((await server.send(batch, {}, '?dryRun=true')).json).toEqual(json)
  })

  test('a bound key may try events of its account, and no others', async () => {
    const key = await server.key(['usage:write'], 'globex')
    const batch = [requestEvent('own', { subject: 'globex' }), requestEvent('foreign')]
    const { json } = await server.send(batch, { key }, '?dryRun=true')
    expect(json.events.map(({ outcome, code }: never) => [outcome, code])).toEqual([
      ['accepted', null],
      ['rejected', 'event/foreign_account'],
    ])
  })

  test('is not counted in the metrics; an event sent alone that is rejected is answered with 400', async () => {
    const counted = async () =>
      /farthing_events_total.*(?:rejected|accepted).*/g.exec((await server.ask('/metrics')).text)?.[0]
    const before = await counted()
    await server.send([requestEvent('m')], {}, '?dryRun=true')
    expect(await server.send(requestEvent('m', { time: 'x' }), {}, '?dryRun=true')).toMatchObject({
      status: 400,
      json: { code: 'event/invalid_time' },
    })
    expect(await counted()).toBe(before)
    expect(await server.send([], {}, '?dryRun=yes')).toMatchObject({
      status: 400,
      json: { code: 'request/invalid_parameter' },
    })
  })

  test('10,000 events are answered within seconds, and 10,001 are too many', async () => {
    const events = Array.from({ length: 10_001 }, (_, index) => faces(`many-${index}`))
    const begin = performance.now()
    const { json } = await server.send(events.slice(1), {}, '?dryRun=true')
    expect(json.accepted).toBe(10_000)
    expect(json.events).toHaveLength(10_000)
    expect(performance.now() - begin).toBeLessThan(15_000)
    expect((await server.send(events, {}, '?dryRun=true')).status).toBe(413)
  }, 60_000)
})
