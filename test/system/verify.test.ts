import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { type Difference, verify } from '../../src/flows/verify/verify.ts'
import type { Sql } from '../../src/store/query.ts'
import { type Deployment, deployment } from './deployment.ts'

const DAY = '2025-07-28'

function event(id: string, time: string, type: string, data: Json): Json {
  return {
    specversion: '1.0',
    id,
    source: 's',
    type: `farthing.${type}`,
    subject: 'acme',
    time: `${DAY}T${time}Z`,
    data,
  }
}

const EVENTS: readonly Json[] = [
  event('r1', '01:10:00', 'request', { operation: 'SimpleQuery', status: 200, project: 'photos' }),
  event('r2', '01:20:00', 'request', { operation: 'SimpleQuery', status: 503, project: 'photos' }),
  event('p1', '03:30:00', 'processing', {
    operation: 'DetectImageCars',
    mode: 'sync',
    quantities: { call: 3 },
  }),
  event('l1', '01:30:00', 'storage', { project: 'photos', dataset: 'd', bytes: '1000' }),
  event('l2', '04:30:00', 'storage', { project: 'photos', dataset: 'd', bytes: '0' }),
  event('h1', '02:30:00', 'request', { operation: 'NoSuchOperation', status: 200 }),
  event('f1', '06:30:00', 'request', { operation: 'GetProject', status: 200 }),
]

/** Of an account that stores data in this hour: what it stores is carried on. */
const KEPT = {
  ...(event('k1', '00:00:00', 'storage', {
    project: 'videos',
    dataset: 'd',
    region: 'eu',
    bytes: '700',
  }) as object),
  subject: 'keeper',
  time: new Date(Date.now() - 3_600_000).toISOString(),
}

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment()
  await deployed.send([...EVENTS, KEPT])
  await deployed.settle()
})
afterAll(() => deployed.close())

async function differences(sql: Sql, account?: string): Promise<readonly Difference[]> {
  const found: Difference[] = []
  const range = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour }
  for await (const one of verify(sql, { account, ...range, onProgress: () => undefined })) found.push(one)
  return found
}

test('books that nobody touched agree with their facts', async () => {
  expect(await differences(deployed.pool)).toEqual([])
  expect(await differences(deployed.pool, 'acme')).toEqual([])
  expect((await deployed.billsOf('acme')).map(({ lines }) => lines.length)).toEqual([2, 1, 2, 1])
})

describe('a change in the database is found, and its place named', () => {
  // Each: what was changed, the SQL that changes it, and what the report must say.
  const tampering: readonly (readonly [string, string, RegExp])[] = [
    [
      'an event’s text',
      `update usage_event set data = replace(data, '"photos"', '"photoz"') where id = 'r1'`,
      /event r1 of source s/,
    ],
    [
      'an event’s status',
      `update usage_event set data = replace(data, '503', '403') where id = 'r2'`,
      /2025-07-28T01Z\.acme, line 1: quantity is 1, and should be 2/,
    ],
    [
      'an event’s operation',
      `update usage_event set data = replace(data, 'Cars', 'Bars') where id = 'p1'`,
      /event p1/,
    ],
    ['an event that is no JSON any more', `update usage_event set data = '{' where id = 'p1'`, /event p1/],
    ['an event’s time', `update usage_event set at = at + 1 where id = 'l1'`, /event l1/],
    [
      'an event without a fee',
      `update usage_event set data = replace(data, '200', '201') where id = 'f1'`,
      /hour 2025-07-28T06Z: eventsDigest/,
    ],
    ['a deleted event', `delete from usage_event where id = 'r1'`, /2025-07-28T01Z\.acme: eventsDigest/],
    [
      'a held event that is held no more',
      `delete from held_event where id = 'h1'`,
      /event h1 of source s, account acme, hour 2025-07-28T02Z: is on no bill and not among the held events/,
    ],
    [
      'a note about a held event under another key',
      `update held_event set id = 'h2'`,
      /event h2 .+: is noted as held, and is not there/,
    ],
    [
      'why an event is held',
      `update held_event set subject = 'SimpleQuery'`,
      /event h1 .+ of SimpleQuery, and should be with held\/unknown_operation of NoSuchOperation/,
    ],
    [
      'a held event that no version will look at',
      `update held_event set price_version = 7`,
      /event h1 .+ under version 7 of the price book, which is not there/,
    ],
    [
      'two swapped events',
      `update usage_event e set at = o.at, data = o.data
         from usage_event o where (e.id, o.id) in (('r1', 'r2'), ('r2', 'r1'))`,
      /2025-07-28T01Z\.acme: eventsDigest/,
    ],
    [
      'a level that carries over',
      `update storage_level set bytes = 1001 where id = 'l1'`,
      /2025-07-28T02Z\.acme, line 1: quantity is 3600000000, and should be 3603600000/,
    ],
    [
      'a stored sum',
      `update storage_total set bytes = bytes + 5 where account = 'acme' and project = 'photos'`,
      /account acme, stored data of photos\/-: is carried as 5 bytes in 0 series, and by its levels should be 0 bytes in 0 series/,
    ],
    [
      'a stored sum that is forgotten',
      `delete from storage_total where account = 'keeper'`,
      /account keeper, stored data of videos\/eu: is carried as 0 bytes in 0 series, and by its levels should be 700 bytes in 1 series/,
    ],
    [
      'how many series a sum is of',
      `update storage_total set live = live + 1 where account = 'keeper'`,
      /account keeper, stored data of videos\/eu: is carried as 700 bytes in 2 series, and .+ 700 bytes in 1 series/,
    ],
    [
      'what a series stores',
      `update storage_series set bytes = 701 where account = 'keeper'`,
      /account keeper, stored data of videos\/eu: a series is carried with bytes that its newest level does not say/,
    ],
    [
      'how many series an account stores',
      `update storage_count set live = 0 where account = 'keeper'`,
      /account keeper, series of stored data: are counted as 0, and by their sums should be 1/,
    ],
    ['a forgotten level', `delete from storage_level where id = 'l2'`, /level of event l2/],
    [
      'a price',
      `update price_version set book = replace(book, '"0.028"', '"0.029"')`,
      /2025-07-28T03Z\.acme, line 1: unitPrice is 0\.028, and should be 0\.029/,
    ],
    [
      'a mapping',
      `update price_version set book = replace(book, '"DetectImageCars"', '"DetectImageBars"')`,
      /price book version 1: its text has the digest/,
    ],
    [
      'a line’s quantity',
      `update bill_line set quantity = quantity + 1 where item = 'ImageDetect'`,
      /line 1: quantity is 4, and should be 3/,
    ],
    [
      'a line’s project',
      `update bill_line set project = 'other' where usage_hour = hour`,
      /project is other/,
    ],
    [
      'a line that was deleted',
      `delete from bill_line where item = 'ImageDetect'`,
      /line 1: component is storage|line 2: is missing/,
    ],
    ['a total', `update bill set total = total + 1 where lines = 2`, /total is 1/],
    ['who was billed late', `update bill set late = not late`, /digest of the bill as stored/],
    [
      'an events digest',
      `update bill set events_digest = sha256('x') where lines = 2`,
      /eventsDigest is 2d711642/,
    ],
    ['a digest', `update bill set digest = sha256('x') where lines = 2`, /digest of the bill as stored/],
    ['a chain', `update bill set previous_digest = sha256('x') where sequence = 3`, /bill of 2025-07-28T03Z/],
    [
      'a missing bill in the middle',
      `delete from bill where sequence = 2`,
      /bill 2 in sequence should be here/,
    ],
    [
      'a missing newest bill',
      `delete from bill where sequence = 4`,
      /newest bill: bill 4 in sequence|should be here/,
    ],
    [
      'a missing bill with usage',
      `delete from bill where sequence = 3`,
      /account acme, hour 2025-07-28T03Z: has usage and no bill/,
    ],
    [
      'an hour without a bill that is forgotten',
      `delete from settled_hour`,
      /hour 2025-07-28T06Z: has usage and no bill/,
    ],
  ]
  for (const [what, sql, named] of tampering) {
    test(`${what} is found`, async () => {
      const client = await deployed.pool.connect()
      try {
        await client.query('begin')
        const { rowCount } = await client.query(sql)
        expect(rowCount).toBeGreaterThan(0)
        const found = await differences(client)
        expect(found.map(({ place, detail }) => `${place}: ${detail}`).join('\n')).toMatch(named)
      } finally {
        await client.query('rollback')
        client.release()
      }
    })
  }
})
