import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { quiet } from './deployment.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: no key makes tables for all days since 2000. New usage further back than the setting is refused with its date
// and what to do; what is stored stays a duplicate, or a conflict, whatever its age; an import by a key of all accounts
// goes as far back as it likes; and a dry run says the same.

const DAY = 86_400_000
const REACH = 400 * DAY
const SLACK = 60_000

let server: TestServer
let bound: string
beforeAll(async () => {
  server = await testServer({ backfillReachMs: REACH })
  bound = await server.key(['usage:write'], 'acme')
})
afterAll(() => server.close())

const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
const event = (id: string, time: string, more: object = {}) =>
  requestEvent(id, { subject: 'acme', time, ...more })

interface Sender {
  readonly key: 'bound' | 'all accounts'
  readonly isImport: boolean
}
const SENDERS: readonly (Sender & { readonly isLimited: boolean })[] = [
  { key: 'bound', isImport: false, isLimited: true },
  { key: 'bound', isImport: true, isLimited: true },
  { key: 'all accounts', isImport: false, isLimited: true },
  { key: 'all accounts', isImport: true, isLimited: false },
]

/** What a delivery is answered: an outcome or code for each event. */
async function answer(sender: Sender, events: readonly object[], query = ''): Promise<readonly string[]> {
  const headers: Record<string, string> = sender.isImport ? { 'farthing-import': 'an-import-1' } : {}
  const key = sender.key === 'bound' ? bound : server.adminKey
  const { status, json } = await server.send(events, { key, headers }, query)
  expect(status).toBe(200)
  const { problems } = json as { problems: { index: number; outcome: string; code: string }[] }
  const said = new Map(
    problems.map(({ index, outcome, code }) => [index, /accepted|held/.test(outcome) ? '' : code]),
  )
  const { duplicates } = json as { duplicates: number }
  const all = events.map((_, index) => said.get(index) || 'taken')
  return duplicates === 0 ? all : all.map((one) => (one === 'taken' ? 'duplicate' : one))
}

const AGES: readonly (readonly [name: string, time: () => string, isOld: boolean])[] = [
  ['of now', () => ago(0), false],
  ['a minute younger than the limit', () => ago(REACH - SLACK), false],
  ['a minute older', () => ago(REACH + SLACK), true],
  ['in another time zone, older', () => ago(REACH + 3 * DAY).replace('Z', '+02:00'), true],
  ['of many years ago', () => '2004-02-29T23:59:59.999Z', true],
  ['the oldest of all', () => '2000-01-01T00:00:00Z', true],
]

describe.each(SENDERS)('a key for $key, import: $isImport', (sender) => {
  const name = `${sender.key}-${String(sender.isImport)}`

  test.each(AGES)('usage %s', async (age, time, isOld) => {
    const sent = [event(`${name} ${age}`, time())]
    const said = isOld && sender.isLimited ? 'event/too_old' : 'taken'
    expect(await answer(sender, sent, '?dryRun=true')).toEqual([said])
    expect(await answer(sender, sent)).toEqual([said])
    const again = said === 'taken' ? 'duplicate' : said
    expect(await answer(sender, sent, '?dryRun=true')).toEqual([again])
    expect(await answer(sender, sent)).toEqual([again])
  })

  test.each([
    ['the same', {}, 'duplicate'],
    ['other content', { data: { operation: 'SimpleQuery', status: 200, count: 2 } }, 'event/conflict'],
    ['another type', { type: 'com.acme.unknown' }, 'event/conflict'],
  ])('%s under an identity that is stored and old', async (what, more, said) => {
    const id = `stored ${name} ${what}`
    const time = '2011-07-01T12:00:00Z'
    expect(await answer(SENDERS[3]!, [event(id, time)])).toEqual(['taken'])
    for (const query of ['?dryRun=true', '']) {
      const [code] = await answer(sender, [event(id, time, more)], query)
      expect(code).toBe(said)
    }
  })
})

test('the refusal names the date, the limit and what to do, and is kept with the others', async () => {
  const time = '2012-03-04T05:06:07.000Z'
  const { status, json } = await server.send(event('alone', time), { key: bound })
  expect([status, (json as { code: string }).code]).toEqual([400, 'event/too_old'])
  const { detail } = json as { detail: string }
  expect(detail).toMatch(
    /^time is 2012-03-04T05:06:07\.000Z, and new usage is taken from \d{4}-.*Z on: import/,
  )
  const { json: refused } = await server.ask('/v1/refused-events?account=acme')
  expect(JSON.stringify(refused)).toContain('event/too_old')
})

test('of a batch only what is too old is refused', async () => {
  const sent = [
    event('batch-1', ago(0)),
    event('batch-2', '2003-01-01T00:00:00Z'),
    event('batch-3', ago(DAY)),
  ]
  expect(await answer(SENDERS[0]!, sent)).toEqual(['taken', 'event/too_old', 'taken'])
})

test.each(['import first', 'import last'])(
  'who sends what an import stores at the same moment is told that it is a duplicate: %s',
  async (order) => {
    const ingest = await createIngest({ pool: server.database.pool, log: quiet, backfillReachMs: REACH })
    const sent = [{ raw: event(order, '2009-09-09T09:09:09Z') as Json }]
    const submits = [
      () => ingest.submit(sent, undefined, { writer: 'an-import-2', sender: 'all' }),
      () => ingest.submit(sent, 'acme', { sender: 'bound' }),
    ]
    const answers = await Promise.all(
      (order === 'import last' ? submits.toReversed() : submits).map((one) => one()),
    )
    const outcomes = answers.flatMap((one) =>
      one.ok ? one.results.map(({ outcome }) => outcome.replace('held', 'taken')) : one.code,
    )
    expect(outcomes.toSorted()).toEqual(['duplicate', 'taken'])
    await ingest.close()
  },
)

test('one request with an event for each day since 2000 makes no table', async () => {
  const tables = async () => {
    const { rows } = await server.database.pool.query(
      `select count(*)::int as tables from pg_inherits where inhparent = 'usage_event'::regclass`,
    )
    return (rows[0] as { tables: number }).tables
  }
  const before = await tables()
  const days = Math.floor((Date.now() - REACH - Date.UTC(2000, 0, 1)) / DAY)
  const sent = Array.from({ length: days }, (_, day) =>
    event(`day-${day}`, new Date(Date.UTC(2000, 0, 1) + day * DAY).toISOString()),
  )
  const begin = performance.now()
  const { json } = await server.send(sent, { key: bound })
  expect(json).toMatchObject({ accepted: 0, rejected: days })
  expect(performance.now() - begin).toBeLessThan(20_000)
  expect(await tables()).toBe(before)
})
