import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bill } from '../../src/core/bill/bill.ts'
import { type Decimal, decimal, plain, plus, ZERO } from '../../src/core/money/decimal.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { endLevels } from '../../src/flows/settle/end-levels.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { makePool } from '../../src/store/connect.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { dyingPool, ProcessDied } from '../simulation/dying-pool.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

const HOUR_MS = 3_600_000
const now = hourOf(Date.now() as Instant)
/** Live hours begin here: 12 of them have ended. */
const first = (now - 12) as Hour

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(first)
})
afterAll(() => deployed.close())

/** An instant, in hours from the first live one. */
function at(hours: number): Instant {
  return (startOf(first) + hours * HOUR_MS) as Instant
}

let ids = 0
function event(account: string, time: number, kind: string, data: Json, source = 's'): Json {
  const more = { subject: account, time: formatInstant(at(time)), data }
  return { specversion: '1.0', id: `${ids++}`, source, type: `farthing.${kind}`, ...more }
}

function level(account: string, time: number, bytes: string, more: object = {}): Json {
  const { source, ...place } = { source: 's', project: 'photos', dataset: 'd', ...more }
  return event(account, time, 'storage', { ...place, bytes }, source)
}

function request(account: string, time: number): Json {
  return event(account, time, 'request', { operation: 'SimpleQuery', status: 200, project: 'photos' })
}

async function close(account: string, hours: number | null): Promise<void> {
  const closedAt = hours === null ? null : at(hours)
  const put = await putAccount(deployed.pool, 'test', account, { closedAt })
  if (!put.ok) throw new Error(put.detail)
  await endLevels({ pool: deployed.pool, stopping: () => false })
}

/** What bills say of each usage hour, summed up: byte-milliseconds, or calls. */
async function billed(account: string, component: string): Promise<Readonly<Record<string, string>>> {
  await settleAll(deployed)
  return sums(await deployed.billsOf(account), component)
}

function sums(bills: readonly Bill[], component: string): Readonly<Record<string, string>> {
  const quantities = new Map<number, Decimal>()
  for (const line of bills.flatMap(({ lines }) => lines).filter((one) => one.component === component)) {
    const sum = quantities.get(line.usageHour) ?? ZERO
    quantities.set(line.usageHour, plus(sum, decimal(line.quantity)))
  }
  const all = [...quantities].toSorted(([a], [b]) => a - b)
  return Object.fromEntries(
    all.filter(([, sum]) => plain(sum) !== '0').map(([hour, sum]) => [hour - first, plain(sum)]),
  )
}

/** So many bytes during part of an hour. */
function stored(bytes: number, share = 1): string {
  return String(bytes * share * HOUR_MS)
}

async function outcomes(events: readonly Json[]): Promise<readonly (string | null)[]> {
  const submitted = await deployed.ingest.submit(
    events.map((raw) => ({ raw })),
    undefined,
  )
  if (!submitted.ok) throw new Error(submitted.detail)
  return submitted.results.map(({ outcome, code }) => code ?? outcome)
}

describe('a closed account', () => {
  test('has its usage refused from then on, to the millisecond; usage of before is billed, also if it comes late', async () => {
    await close('refused', 2.5)
    const before = request('refused', 2.5 - 1 / HOUR_MS)
    expect(
      await outcomes([before, request('refused', 2.5), request('refused', 9), request('open', 9)]),
    ).toEqual(['accepted', 'event/account_closed', 'event/account_closed', 'accepted'])
    expect(await billed('refused', 'request')).toEqual({ 2: '1' })
    expect(await outcomes([request('refused', 1), request('refused', 2)])).toEqual(['accepted', 'accepted'])
    expect(await billed('refused', 'request')).toEqual({ 1: '1', 2: '2' })
  })

  test('stores nothing from then on: levels that are settled', async () => {
    await outcomes([level('settled', 1, '1000'), level('settled', 1, '10', { dataset: 'e' })])
    await billed('settled', 'storage')
    await close('settled', 3.5)
    expect(await billed('settled', 'storage')).toEqual({
      1: stored(1010),
      2: stored(1010),
      3: stored(1010, 0.5),
    })
  })

  test('levels that are on no bill yet, in their own hour, and of a day long ago', async () => {
    await outcomes([level('open-levels', 11.25, '1000'), level('open-levels', 11.25, '7', { project: '' })])
    await close('open-levels', 11.75)
    expect(await billed('open-levels', 'storage')).toEqual({ 11: stored(1007, 0.5) })
    await outcomes([level('past', -1000, '1000')])
    await close('past', -998.5)
    expect(await billed('past', 'storage')).toEqual({ [-1000]: stored(1000), [-999]: stored(500) })
  })

  test('levels of before that come in later, of known and of new series, end with it', async () => {
    await outcomes([level('late', 1, '1000')])
    await close('late', 4)
    await billed('late', 'storage')
    const late = [
      level('late', 2, '500'),
      level('late', 2, '7', { dataset: 'new' }),
      level('late', -50, '1', { dataset: 'old' }),
    ]
    expect(new Set(await outcomes(late))).toEqual(new Set(['accepted']))
    const quantities = await billed('late', 'storage')
    expect(quantities).toMatchObject({ 1: stored(1001), 2: stored(508), 3: stored(508) })
    expect(
      Object.keys(quantities)
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 54 }, (_, index) => index - 50))
  })

  test('levels of later that had been accepted before count as 0 too, whatever their source, settled or not', async () => {
    const sources = ['a', 'farthing', 'farthing:clozed', 'z', '\u{10ffff}'.repeat(128)]
    for (const isSettled of [true, false]) {
      const account = `later-${isSettled}`
      const all = sources.flatMap((source, index) => [
        level(account, 1, '100', { source, dataset: `${index}` }),
        // At the very instant of the closing, and after it.
        level(account, 3, '10', { source, dataset: `${index}` }),
        level(account, 5, '1', { source, dataset: `${index}` }),
        level(account, 5, '2', { source: 'a', dataset: `${index}` }),
      ])
      await outcomes(all)
      if (isSettled) await billed(account, 'storage')
      await close(account, 3)
      expect(await billed(account, 'storage')).toEqual({ 1: stored(500), 2: stored(500) })
    }
  })

  test('that is opened again takes usage; levels stay 0 until the next one', async () => {
    await outcomes([level('again', 1, '1000')])
    await close('again', 3)
    await billed('again', 'storage')
    await close('again', null)
    expect(await outcomes([request('again', 5), level('again', 6, '5'), level('again', 8, '0')])).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ])
    const expected = { 1: stored(1000), 2: stored(1000), 6: stored(5), 7: stored(5) }
    expect(await billed('again', 'storage')).toEqual(expected)
    // Closed at the same instant once more: what was sent meanwhile ends as well.
    await close('again', 3)
    expect(await billed('again', 'storage')).toEqual({ 1: stored(1000), 2: stored(1000) })
    expect(await outcomes([request('again', 5)])).toEqual(['event/account_closed'])
  })

  test('that is closed at another time stores nothing from the earlier one on', async () => {
    await outcomes([level('moved', 1, '1000')])
    await close('moved', 4)
    expect(await billed('moved', 'storage')).toMatchObject({ 3: stored(1000) })
    await close('moved', 2)
    expect(await billed('moved', 'storage')).toEqual({ 1: stored(1000) })
    await close('moved', 6)
    expect(await outcomes([level('moved', 5, '3'), request('moved', 6)])).toEqual([
      'accepted',
      'event/account_closed',
    ])
    expect(await billed('moved', 'storage')).toEqual({ 1: stored(1000), 5: stored(3) })
  })

  test('without anything stored gets no events, and a closing that is put twice does nothing more', async () => {
    await outcomes([request('nothing', 1)])
    await close('nothing', 3)
    await close('nothing', 3)
    const { rows } = await deployed.pool.query(`select id from usage_event where account = 'nothing'`)
    expect(rows).toHaveLength(1)
  })
})

/** The beginning of a day, in hours from the first live one: two days before that of the index before. */
function midnight(index: number): number {
  return -(first % 24) - 24 * (100 + 2 * index)
}

test('many levels of many days in one delivery are stored with their ends, few days a transaction', async () => {
  const accounts = Array.from({ length: 90 }, (_, index) => `day-${index}`)
  // Each account is closed in the first minute of a day, and has a level of the day before.
  for (const [index, account] of accounts.entries()) {
    await putAccount(deployed.pool, 'test', account, { closedAt: at(midnight(index) + 1 / 60) })
  }
  const events = accounts.map((account, index) => level(account, midnight(index) - 1 / 60, '5'))
  expect(new Set(await outcomes(events))).toEqual(new Set(['accepted']))
  const { rows } = await deployed.pool.query<{ account: string }>(
    `select account from usage_event where source = 'farthing:closed' and account like 'day-%'`,
  )
  expect(rows.map(({ account }) => account).toSorted()).toEqual(accounts.toSorted())
})

// Guarantee: after the answer to a closing no event of then or later is accepted, in any process, at any speed.
test('a closing races with senders in other processes; what it lets through was there before, and ends', async () => {
  // Between its rows and its commit each sender lingers, so that accounts are closed meanwhile.
  await deployed.pool.query(`
    create function linger() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(0.05);
      return null;
    end $$;
    create trigger linger after insert on usage_event for each statement execute function linger()`)
  const pools = Array.from({ length: 3 }, () => makePool(deployed.connection, { max: 3 }))
  const ingests = await Promise.all(pools.map((pool) => createIngest({ pool, log: quiet })))
  const accounts = Array.from({ length: 6 }, (_, index) => `race-${index}`)
  let closed = new Set<string>()
  const wrong: string[] = []
  let accepted = 0
  let refused = 0
  const over = new AbortController()
  const sender = async (ingest: (typeof ingests)[number]) => {
    while (!over.signal.aborted) {
      const answered = new Set(closed)
      const batch = accounts.flatMap((account) => [
        level(account, 7 + Math.random(), '1000', { dataset: `${ids % 20}` }),
        level(account, 2, '1', { dataset: `${ids % 20}` }),
      ])
      const submitted = await ingest.submit(
        batch.map((raw) => ({ raw })),
        undefined,
      )
      if (!submitted.ok) throw new Error(submitted.detail)
      for (const [index, { outcome }] of submitted.results.entries()) {
        if (index % 2 === 1) continue
        const account = accounts[index >> 1]!
        if (outcome === 'accepted') accepted += 1
        else refused += 1
        if (outcome === 'accepted' && answered.has(account)) wrong.push(account)
      }
    }
  }
  const senders = ingests.map(sender)
  for (const account of accounts) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    const put = await putAccount(deployed.pool, 'test', account, { closedAt: at(4) })
    if (!put.ok) throw new Error(put.detail)
    closed = new Set([...closed, account])
    void endLevels({ pool: deployed.pool, stopping: () => false })
  }
  await new Promise((resolve) => setTimeout(resolve, 150))
  over.abort()
  await Promise.all(senders)
  await Promise.all(ingests.map((ingest) => ingest.close()))
  await Promise.all(pools.map((pool) => pool.end()))
  await deployed.pool.query('drop function linger cascade')
  await endLevels({ pool: deployed.pool, stopping: () => false })
  expect(wrong).toEqual([])
  expect([accepted > 20, refused > 20]).toEqual([true, true])
  await settleAll(deployed)
  for (const account of accounts) {
    const bills = await deployed.billsOf(account)
    expect([account, ...Object.keys(sums(bills, 'storage'))]).toEqual([account, '2', '3'])
  }
})

test('a closing waits for events that were let in before it, and ends their levels', async () => {
  const order: string[] = []
  let closing: Promise<unknown> | undefined
  // A sender has read that the account is open, and is slow: the closing comes just then.
  const slow = dyingPool(deployed.pool, async (statement) => {
    if (closing !== undefined || !statement.includes('insert_events')) return undefined
    closing = close('overtaken', 3).then(() => order.push('closed'))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    order.push('stored')
    return undefined
  })
  const ingest = await createIngest({ pool: slow, log: quiet })
  const submitted = await ingest.submit([{ raw: level('overtaken', 5, '1000') }], undefined)
  await ingest.close()
  await closing
  expect(submitted).toMatchObject({ ok: true, results: [{ outcome: 'accepted' }] })
  expect(order).toEqual(['stored', 'closed'])
  expect(await billed('overtaken', 'storage')).toEqual({})
})

// Guarantee: a process that dies anywhere in a closing leaves the account open, or closed and in good hands.
test('a process dies at each statement of a closing; the next look makes it good', async () => {
  for (let fatal = 1; ; fatal++) {
    const account = `killed-${fatal}`
    await outcomes([
      level(account, 1, '1000'),
      level(account, 5, '7'),
      level(account, 1, '3', { dataset: 'e' }),
    ])
    let statements = 0
    const pool = dyingPool(deployed.pool, () => (++statements === fatal ? 'after' : undefined))
    let died = false
    try {
      const put = await putAccount(pool, 'test', account, { closedAt: at(3) })
      if (!put.ok) throw new Error(put.detail)
      await endLevels({ pool, account, stopping: () => false })
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
      died = true
    }
    const { rows } = await deployed.pool.query<{ closed_at: string | null }>(
      'select closed_at from account_profile where account = $1',
      [account],
    )
    const isClosed = (rows[0]?.closed_at ?? null) !== null
    await endLevels({ pool: deployed.pool, stopping: () => false })
    const { rows: levels } = await deployed.pool.query(
      `select from usage_event where account = $1 and source like '%farthing:closed'`,
      [account],
    )
    expect([fatal, levels.length]).toEqual([fatal, isClosed ? 3 : 0])
    if (died) continue
    expect(fatal).toBeGreaterThan(15)
    break
  }
  expect(await billed('killed-20', 'storage')).toEqual({ 1: stored(1003), 2: stored(1003) })
})

test('all of these bills follow from their facts', async () => {
  await settleAll(deployed)
  expect(await differences(deployed.pool)).toEqual([])
})
