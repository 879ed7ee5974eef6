import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { OPEN_ACCOUNTS_MAX } from '../../src/flows/read/read-open-usage-of-all.ts'
import { requestEvent } from './http-server.ts'
import { at, type Day, first, GB, type Item, makeDay, now, request } from './http-day.ts'
import { inUnits } from './used-in-units.ts'

const ACCOUNTS = ['acme', 'backfill', 'keeper', 'late', 'live', 'released', 'taken', 'west']
const RANGE = `from=${at(first - 100, 0)}&to=${formatHourStart((now + 1) as Hour)}`
const GROUPS = 'component,item,operation,project,region'

let day: Day
beforeAll(async () => {
  day = await makeDay()
  const { server } = day
  const level = { project: 'photos', dataset: 'all', bytes: String(GB) }
  await send([
    {
      ...requestEvent('k', { time: at(first + 1, 0) }),
      type: 'farthing.storage',
      subject: 'keeper',
      data: level,
    },
    usedBy('late', 'l1', first),
    usedBy('taken', 't1', first),
    usedBy('west', 'w1', first + 1, { project: 'photos', region: 'west' }),
    usedBy('released', 'r1', first, { operation: 'Teleport' }),
  ])
  await server.settle({ graceMs: 3_600_000 })
  await publishTeleport()
  await server.settle({ graceMs: 3_600_000 })
  await send([
    usedBy('late', 'l2', first, { count: 3 }),
    usedBy('backfill', 'h1', first - 90),
    { ...requestEvent('n'), subject: 'live' },
  ])
  const order = { account: 'taken', id: 't1', reason: 'a test' }
  const voided = await server.ask('/v1/voids', {
    method: 'POST',
    body: JSON.stringify(order),
    type: 'application/json',
  })
  if (voided.status !== 200) throw new Error(voided.text)
})
afterAll(() => day.server.close())

function usedBy(account: string, id: string, hour: number, data: object = {}) {
  return { ...request(id, hour, data), subject: account }
}

async function send(events: readonly object[]): Promise<void> {
  const { json } = await day.server.send(events)
  if (json.accepted + json.held !== events.length) throw new Error(JSON.stringify(json))
}

async function publishTeleport(): Promise<void> {
  const { book } = await day.get('/v1/price-book')
  const rate = { operations: ['Teleport'], unit: 'call', per: 1, billedStatuses: ['2xx'] }
  const prices = [{ from: '2020-01-01T00:00:00Z', price: '0.5' }]
  const Teleports = { component: 'request', rates: { default: { ...rate, prices } } }
  const body = JSON.stringify({ ...book, items: { ...book.items, Teleports } })
  const answer = await day.server.ask('/v1/price-book', { method: 'POST', body, type: 'application/yaml' })
  if (answer.status >= 300) throw new Error(answer.text)
}

/** Storage of the open hour grows between two requests. */
function still(rows: readonly Item[]): readonly Item[] {
  return rows.map((row) => {
    const grows = row['unit'] === 'byte-millisecond' && row['to'] === formatHourStart((now + 1) as Hour)
    return grows ? { ...row, quantity: '', amount: '' } : row
  })
}

async function usage(query: string): Promise<readonly Item[]> {
  return inUnits<Item>((await day.get(`/v1/usage?${RANGE}&limit=1000&${query}`)).items)
}

async function calls(query: string): Promise<readonly Item[]> {
  return (await usage(`window=month&${query}`)).filter(({ unit }) => unit === 'call')
}

function sum(rows: readonly Item[]): number {
  return rows.reduce((total, row) => total + Number(row['quantity']), 0)
}

describe('usage of all accounts', () => {
  for (const window of ['hour', 'month'] as const) {
    test(`by account, it is that of each of them, by ${window}`, async () => {
      const all = still(await usage(`window=${window}&groupBy=account,${GROUPS}`))
      const of = async (account: string) =>
        still(await usage(`window=${window}&groupBy=account,${GROUPS}&account=${account}`))
      const each = await Promise.all(ACCOUNTS.map(of))
      expect(each.map((rows) => rows.length > 0)).toEqual(ACCOUNTS.map(() => true))
      for (const [index, account] of ACCOUNTS.entries())
        expect(all.filter((row) => row['account'] === account)).toEqual(each[index])
      expect(all).toHaveLength(each.flat().length)
    })
  }

  test('without groups is their sum, of bills and of what is on none yet', async () => {
    const each = await Promise.all(ACCOUNTS.map((account) => calls(`account=${account}`)))
    expect(sum(await calls(''))).toBe(sum(each.flat()))
    expect(sum(await calls(''))).toBeGreaterThan(20)
    expect((await calls('')).every((row) => !('account' in row))).toBe(true)
  })

  test('comes page by page, without a row twice or missing', async () => {
    const query = `/v1/usage?${RANGE}&window=day&groupBy=account,item,operation`
    const { items } = await day.get(query)
    expect(items.length).toBeGreaterThan(ACCOUNTS.length)
    expect(still(inUnits(await day.pages(query, 3)))).toEqual(still(inUnits(items)))
  })

  test('is nothing for a key of one account but its own', async () => {
    const key = await day.server.key(['usage:read'], 'west')
    const { json } = await day.server.ask(`/v1/usage?${RANGE}&window=day&groupBy=account`, { key })
    expect(json.items).toMatchObject([{ account: 'west', quantities: [{ quantity: '1' }] }])
  })

  test('is read of hours with bills, and for one account, whatever the number of accounts on no bill', async () => {
    const time = new Date().toISOString()
    // Those of all but west are there already.
    const many = Array.from({ length: OPEN_ACCOUNTS_MAX - ACCOUNTS.length + 1 }, (_, index) => {
      return { ...requestEvent('m', { time }), subject: `many-${index}` }
    })
    await send(many)
    const billed = `from=${at(first, 0)}&to=${at(first + 1, 0)}`
    expect((await day.server.ask(`/v1/usage?${RANGE}&window=month`)).status).toBe(200)
    await send([{ ...requestEvent('m', { time }), subject: 'one-more' }])
    const { status, json } = await day.server.ask(`/v1/usage?${RANGE}&window=month`)
    expect([status, json.code]).toEqual([422, 'usage/too_many_open_accounts'])
    expect(json.detail).toMatch(/More than 2000 accounts .*: ask for hours that have their bills/)
    expect((await day.server.ask(`/v1/usage?${billed}`)).status).toBe(200)
    expect((await day.server.ask(`/v1/usage?${RANGE}&window=month&account=one-more`)).status).toBe(200)
  })
})
