import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { type Hour, startOf } from '../../src/core/time/hour.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { listLevelsNow } from '../../src/flows/read/list-levels-now.ts'
import { orderVoids } from '../../src/flows/voids/order-voids.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { testDatabase } from '../database.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { mustBe, restoreInto, save } from './backup-world.ts'
import { farthing } from './cli-run.ts'
import { requestEvent, type TestServer } from './http-server.ts'
import { at, first, voidServer, type VoidServer } from './void-server.ts'

// Guarantee: no order reaches the levels with which Farthing ends what a closed account stores. Whatever is voided,
// a closed account is charged for nothing from its closing on.

let world: VoidServer
let server: TestServer
beforeAll(async () => {
  world = await voidServer()
  server = world.server
})
afterAll(() => server.close())

const HOUR = first + 1

function level(account: string, id: string, minute: number, bytes: string, more: object = {}) {
  const { source = 's', ...place } = { ...more } as { source?: string }
  const data = { project: 'photos', dataset: 'd', bytes, ...place }
  return requestEvent(id, {
    subject: account,
    type: 'farthing.storage',
    source,
    time: at(HOUR, minute),
    data,
  })
}

function request(account: string, id: string, minute: number) {
  const data = { operation: 'SimpleQuery', status: 200, project: 'photos' }
  return requestEvent(id, { subject: account, source: 's', time: at(HOUR, minute), data })
}

async function close(account: string, minute: number | null): Promise<void> {
  const body = JSON.stringify({ closed: minute === null ? null : at(HOUR, minute) })
  const init = { method: 'PUT', body, type: 'application/json' }
  expect((await server.ask(`/v1/accounts/${account}`, init)).status).toBeLessThan(202)
}

/** A closed account: levels of two regions before the closing and one of later, and a request after it. */
async function closedAccount(account: string): Promise<void> {
  const sent = await server.send([
    level(account, 'l1', 0, '1000000000'),
    level(account, 'l2', 0, '1000000000', { region: 'eu' }),
    level(account, 'l3', 40, '5000000000', { source: 'z' }),
    request(account, 'r1', 30),
  ])
  expect(sent.json.accepted).toBe(4)
  await close(account, 20)
}

async function ends(account: string): Promise<readonly { id: string; source: string; hour: Hour }[]> {
  const { rows } = await server.database.pool.query<{ id: string; source: string; hour: Hour }>(
    `select id, source, hour from usage_event where account = $1 and source like '%farthing:closed' order by id, source`,
    [account],
  )
  return rows
}

/** Byte-milliseconds of all bills, by region. */
async function stored(account: string): Promise<Readonly<Record<string, string>>> {
  const { rows } = await server.database.pool.query<{ region: string; sum: string }>(
    `select coalesce(region, '-') as region, trim_scale(sum(quantity))::text as sum from bill_line
      where account = $1 and component = 'storage' group by 1 having sum(quantity) <> 0 order by 1`,
    [account],
  )
  return Object.fromEntries(rows.map(({ region, sum }) => [region, sum]))
}

const TWENTY_MINUTES = String(1_000_000_000 * 20 * 60_000)

async function endId(account: string): Promise<string> {
  return (await ends(account))[0]!.id
}

/** What of a void summary says that nothing was reached. */
const NOTHING = { events: 0, voided: 0, alreadyVoided: 0, levels: 0 }

const after = { from: at(HOUR, 20), to: at(HOUR, 60) }

/** Orders, and what they void of the senders' events after the closing. */
const ORDERS: readonly (readonly [
  what: string,
  order: (account: string) => Promise<object> | object,
  answer: object | string,
])[] = [
  ['a range, as the docs advise for the request', () => after, { voided: 2, levels: 1 }],
  ['a range of levels', () => ({ ...after, type: 'farthing.storage' }), { voided: 1, levels: 1 }],
  ['a range of a project', () => ({ ...after, project: 'photos' }), { voided: 2, levels: 1 }],
  ['the instant of the closing', () => ({ from: at(HOUR, 20), to: at(HOUR, 21) }), NOTHING],
  ['a range of its source', () => ({ ...after, source: 'farthing:closed' }), 'void/own_event'],
  ['a range of a source over another', () => ({ ...after, source: 'z/farthing:closed' }), 'void/own_event'],
  ['its id', async (account) => ({ id: await endId(account) }), 'void/own_event'],
  [
    'its id and source',
    async (account) => ({ id: await endId(account), source: 'farthing:closed' }),
    'void/own_event',
  ],
  [
    'its id and hour',
    async (account) => ({ id: await endId(account), from: at(HOUR, 0), to: at(HOUR + 1, 0) }),
    'void/own_event',
  ],
]

describe.each([false, true])('orders after a closing that is settled: %s', (isSettled) => {
  test.each(ORDERS)('%s', async (what, order, answer) => {
    const account = `a${ORDERS.findIndex(([name]) => name === what)}-${isSettled}`
    await closedAccount(account)
    if (isSettled) await settleAll(server.database)
    const before = await ends(account)
    expect(before).toHaveLength(3)
    const body = { account, reason: 'a test', ...(await order(account)) }
    for (const query of ['?dryRun=true', '', '']) {
      const { status, json } = await world.order(body, query)
      if (typeof answer === 'string') expect([query, status, json.code]).toEqual([query, 422, answer])
      else if (query !== '' || json.alreadyVoided === 0) expect(json).toMatchObject(answer)
    }
    await settleAll(server.database)
    expect(await ends(account)).toEqual(before)
    expect(await stored(account)).toEqual({ '-': TWENTY_MINUTES, eu: TWENTY_MINUTES })
    expect((await world.get(`/v1/storage?account=${account}`)).items).toEqual([])
    expect((await world.get(`/v1/voids?account=${account}`)).items).toHaveLength(
      typeof answer === 'string' ? 0 : (answer as { voided: number }).voided,
    )
  })
})

test('what became of one says that Farthing added it', async () => {
  await closedAccount('told')
  const id = encodeURIComponent(await endId('told'))
  const { stored: duplicates } = await world.get(`/v1/events?account=told&id=${id}`)
  expect(duplicates).toHaveLength(1)
  expect(duplicates[0].steps[0].text).toBe(
    'Added by Farthing: the account is closed, and what it stores ends here.',
  )
})

test('an id that senders use too means theirs alone', async () => {
  await closedAccount('shared')
  const id = await endId('shared')
  await server.send([request('shared', id, 10)])
  const { json } = await world.order({ account: 'shared', id, reason: 'a test' })
  expect(json).toMatchObject({ events: 1, voided: 1, levels: 0 })
  expect(await ends('shared')).toHaveLength(3)
})

test('a transaction that is given their keys leaves them alone, and the database refuses them', async () => {
  await closedAccount('direct')
  const bucket = bucketOf('direct')
  const keys = (await ends('direct')).map((end) => ({ ...end, bucket, account: 'direct' }))
  const order = { actor: 'cli:test', reason: 'by mistake', what: 'of a test' }
  const { pool } = server.database
  expect(await voidEvents(pool, order, keys)).toEqual({ decisions: [], already: 0 })
  const insert = pool.query(
    `insert into voided_event (hour, bucket, account, id, source, cycle, counted, ordered_at, ordered_by, reason)
     select hour, bucket, account, id, source, cycle, cycle, 0, '', '' from usage_event
      where account = 'direct' and source like '%farthing:closed'`,
  )
  await expect(insert).rejects.toMatchObject({ code: '23514' })
})

test('the command voids what was sent, and says why it voids nothing else', async () => {
  await closedAccount('command')
  const env = { FARTHING_URL: server.url, FARTHING_KEY: server.adminKey }
  const order = ['void', '--account', 'command', '--reason', 'a test', '--yes']
  const range = await farthing([...order, '--from', after.from, '--to', after.to], { env })
  expect([range.code, range.stdout]).toEqual([0, expect.stringContaining('2 events of command: 2 voided')])
  const own = await farthing([...order, await endId('command')], { env })
  expect([own.code, own.stderr]).toEqual([1, expect.stringContaining('end what a closed account stores')])
  await settleAll(server.database)
  expect(await stored('command')).toEqual({ '-': TWENTY_MINUTES, eu: TWENTY_MINUTES })
})

test('nobody sends events of such sources, in any form', async () => {
  const sources = ['farthing:closed', 's/farthing:closed', 'farthing:closed/farthing:closed']
  const events = sources.map((source, index) => level('sender', `own-${index}`, 5, '7', { source }))
  for (const query of ['', '?dryRun=true']) {
    const { json } = await server.send(events, {}, query)
    expect(json.problems.map(({ code }: { code: string }) => code)).toEqual(
      sources.map(() => 'event/reserved_source'),
    )
  }
})

test('an account that is opened, closed again, moved, and sent late levels: orders between leave it at 0', async () => {
  const account = 'again'
  await closedAccount(account)
  const everything = { account, from: at(HOUR, 15), to: at(HOUR, 60), reason: 'a test' }
  await world.order(everything)
  await settleAll(server.database)
  await close(account, null)
  await server.send([level(account, 'l4', 45, '3000000000'), level(account, 'l5', 10, '2000000000')])
  await world.order({ ...everything, from: at(HOUR, 44) })
  await close(account, 20)
  await server.send([level(account, 'late', 15, '4000000000')])
  await world.order(everything)
  await settleAll(server.database)
  await world.order(everything)
  await close(account, 12)
  await settleAll(server.database)
  expect((await world.get(`/v1/storage?account=${account}`)).items).toEqual([])
  // 10 minutes of 1 GB, 2 of 2 GB; in the other region 12 of 1 GB.
  const minutes = (count: number) => String(count * 60_000 * 1_000_000_000)
  expect(await stored(account)).toEqual({ '-': minutes(14), eu: minutes(12) })
  await world.expectProved()
})

test('a backup that is restored has them, and orders do not reach them there', async () => {
  await closedAccount('restored')
  const file = join(mkdtempSync(join(tmpdir(), 'farthing-closing-')), 'one.backup')
  mustBe(await save(server.database, file))
  const target = await testDatabase()
  try {
    mustBe(await restoreInto(target, file, mkdtempSync(join(tmpdir(), 'farthing-closing-'))))
    const filter = { from: startOf(HOUR as Hour), to: startOf((HOUR + 1) as Hour) }
    const order = { account: 'restored', isDryRun: false, after: undefined, actor: 'key_1', reason: 'a test' }
    const done = await orderVoids(target.pool, { ...order, select: { by: 'range', filter } })
    expect(done).toMatchObject({ ok: true, voided: 4, levels: 3 })
    await endLevels({ pool: target.pool, stopping: () => false })
    await settleAll(target)
    const now = await listLevelsNow(target.pool, { account: 'restored', after: undefined, limit: 100 })
    expect(now).toMatchObject({ ok: true, levels: { items: [] } })
    expect(await differences(target.pool)).toEqual([])
  } finally {
    await target.drop()
  }
})

async function found(): Promise<string> {
  const all = await differences(server.database.pool)
  return all.map(({ place, detail }) => `${place}: ${detail}`).join('\n')
}

describe('verify compares closings with the levels in force', () => {
  const named = 'account proved, stored data of photos/d/eu: is 1,000,000,000 bytes from'

  test('an end that waits for its bill is no difference; one that is lost is, while the account is closed', async () => {
    const { pool } = server.database
    await server.send([level('proved', 'l1', 0, '1000000000', { region: 'eu' })])
    await settleAll(server.database)
    await close('proved', 20)
    expect(await found()).toBe('')
    // The end as it was lost before: voided, by an order that reached it.
    const [end] = await ends('proved')
    await pool.query(`delete from usage_event where account = 'proved' and source = 'farthing:closed'`)
    expect(await found()).toContain(`${named} ${at(HOUR, 20).replace('Z', '').slice(0, 16)}`)
    await close('proved', null)
    expect(await found()).toBe('')
    await close('proved', 20)
    await settleAll(server.database)
    expect(await found()).toBe('')
    await pool.query(
      `update storage_level set void_step = 1 where account = 'proved' and source = 'farthing:closed'`,
    )
    expect(await found()).toContain(named)
    await pool.query(`update storage_level set void_step = null where account = 'proved'`)
    await pool.query(
      `update storage_level set bytes = 5 where account = 'proved' and source = 'farthing:closed'`,
    )
    expect(await found()).toContain('account proved, stored data of photos/d/eu: is 5 bytes from')
    await pool.query(
      `update storage_level set bytes = 0 where account = 'proved' and source = 'farthing:closed'`,
    )
    expect([end?.hour, await found()]).toEqual([HOUR, ''])
  })
})
