import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bill } from '../../src/core/bill/bill.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { audit } from '../simulation/auditor.ts'
import { dieEverywhere } from '../simulation/die-everywhere.ts'
import { differences, graceUntil, IDENTITY_WINDOW_MS, settleAll, started } from '../simulation/drive.ts'
import { type Death, dyingPool } from '../simulation/dying-pool.ts'
import { priceTable } from '../simulation/prices.ts'
import { type Deployment, essence, quiet } from './deployment.ts'

// Guarantee: a process that dies at any statement of ingest or settlement loses nothing and doubles nothing: what goes on
// after it comes to the same bills as if nothing had happened.

const HOUR_MS = 3_600_000
const currentHour = Math.floor(Date.now() / HOUR_MS)
const firstHour = currentHour - 3
const table = priceTable(firstHour)

function at(hour: number, minute: number): string {
  return new Date((firstHour + hour) * HOUR_MS + minute * 60_000).toISOString()
}

function event(account: string, id: string, time: string, kind: string, data: Json): Json {
  return { specversion: '1.0', id, source: 's', type: `farthing.${kind}`, subject: account, time, data }
}

function call(account: string, id: string, time: string, status = 200): Json {
  return event(account, id, time, 'request', { operation: 'Search', status })
}

function level(account: string, id: string, time: string, bytes: string): Json {
  return event(account, id, time, 'storage', { project: 'p', bytes })
}

/** Hours 0 to 2 are live, hours below are history; one event comes under two times, one is held, one has no fee. */
function usageOf(account: string): readonly Json[] {
  return [
    call(account, '1', at(0, 10)),
    call(account, '2', at(1, 10), 404),
    call(account, '2', at(2, 10), 404),
    call(account, '3', at(2, 20)),
    level(account, 'l1', at(0, 30), '1000000000'),
    event(account, 'free', at(2, 5), 'request', { operation: 'Ping', status: 200 }),
    event(account, 'held', at(1, 5), 'request', { operation: 'Nobody', status: 200 }),
    call(account, 'h1', at(-30, 10)),
    level(account, 'hl', at(-30, 20), '5000'),
    level(account, 'hl', at(-28, 20), '0'),
    level(account, 'hl0', at(-28, 20), '0'),
  ]
}

const ACCOUNTS = ['acme', 'zeta']
const LIVE_HOURS = 3
/** More than storing a group takes. */
const STATEMENTS_MAX = 40

async function billsOf(deployed: Deployment): Promise<readonly Bill[]> {
  return (await Promise.all(ACCOUNTS.map((account) => deployed.billsOf(account)))).flat()
}

/** One pass, for which the hours before one are due. */
async function settle(pool: Deployment['pool'], until = firstHour + LIVE_HOURS): Promise<void> {
  const identityWindowMs = IDENTITY_WINDOW_MS
  const graceMs = graceUntil(until)
  await settlePass({ pool, graceMs, backfillQuietMs: 0, identityWindowMs, stopping: () => false })
}

describe('settlement that dies', () => {
  let undisturbed: Deployment
  beforeAll(async () => {
    undisturbed = await started(firstHour, table)
    await undisturbed.send(ACCOUNTS.flatMap(usageOf))
    await settle(undisturbed.pool)
  })
  afterAll(() => undisturbed.close())

  for (const how of ['before', 'after'] as const) {
    test(`${how} each of its statements goes on, to the same bills`, async () => {
      const deployed = await started(firstHour, table)
      try {
        await deployed.send(ACCOUNTS.flatMap(usageOf))
        const deaths = await dieEverywhere(deployed.pool, how, (pool) => settle(pool))
        expect(deaths).toBeGreaterThan(100)
        const bills = await billsOf(deployed)
        expect(bills.length).toBeGreaterThan(10)
        expect(bills.map(essence)).toEqual((await billsOf(undisturbed)).map(essence))
        const { rows } = await deployed.pool.query('select sealed_until, settled_until from deployment')
        const until = firstHour + LIVE_HOURS
        expect(rows).toEqual([{ sealed_until: until, settled_until: until }])
        // Corrections too, in the hour that is open still.
        await deployed.send(
          ACCOUNTS.flatMap((account) => [
            call(account, 'late', at(1, 40)),
            level(account, 'll', at(1, 0), '7'),
          ]),
        )
        const next = Math.floor(Date.now() / HOUR_MS) + 1
        await dieEverywhere(deployed.pool, how, (pool) => settle(pool, next))
        await settleAll(deployed)
        expect((await audit(deployed.pool, table, IDENTITY_WINDOW_MS / HOUR_MS)).findings).toEqual([])
        expect(await differences(deployed.pool)).toEqual([])
      } finally {
        await deployed.close()
      }
    })
  }
})

function numbered(name: string): readonly string[] {
  return Array.from({ length: STATEMENTS_MAX }, (_, index) => `${name}-${index + 1}`)
}

/** Accepted live, as backfill and late; held; a repeat and a conflict within the group; refused. */
function group(account: string): readonly Json[] {
  return [
    ...usageOf(account),
    call(account, 'now', new Date().toISOString()),
    call(account, '1', at(0, 10)),
    call(account, '1', at(0, 11)),
    call(account, 'bad', 'yesterday'),
  ]
}

describe('ingest that dies', () => {
  const accounts = ['clean', ...numbered('before'), ...numbered('after')]

  let deployed: Deployment
  beforeAll(async () => {
    deployed = await started(firstHour, table)
    // Hour 0 has its bills: what comes for it now is late. Other hours are history.
    await deployed.send(accounts.map((account) => call(account, 'early', at(0, 1))))
    await settle(deployed.pool)
  })
  afterAll(() => deployed.close())

  /** Send in a process that dies at one statement of storing the group; then again, as a client does. */
  async function sendDying(
    account: string,
    fatal: number,
    how: Exclude<Death, undefined>,
  ): Promise<{ readonly died: boolean; readonly outcomes: readonly string[] }> {
    let statements = -Infinity
    const pool = dyingPool(deployed.pool, () => (++statements === fatal ? how : undefined))
    const ingest = await createIngest({ pool, log: { ...quiet, error() {} } })
    statements = 0
    const batch = group(account).map((raw) => ({ raw }))
    const first = await ingest.submit(batch, undefined)
    statements = -Infinity
    const answered = first.ok ? first : await ingest.submit(batch, undefined)
    await ingest.close()
    if (!answered.ok) throw new Error(answered.detail)
    return { died: !first.ok, outcomes: answered.results.map(({ outcome }) => outcome) }
  }

  async function charged(account: string): Promise<unknown[]> {
    const { rows } = await deployed.pool.query(
      `select usage_hour, item, rate, operation, project, sum(quantity)::text as quantity, sum(waived)::text as waived
         from bill_line where account = $1
        group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`,
      [account],
    )
    return rows
  }

  test('at any statement stores all or nothing: sent again, it comes to the same outcomes and bills', async () => {
    const clean = await sendDying('clean', Infinity, 'before')
    const again = clean.outcomes.map((outcome) => (/accepted|held/.test(outcome) ? 'duplicate' : outcome))
    const deaths = { before: 0, after: 0 }
    for (const account of accounts.slice(1)) {
      const [how, fatal] = account.split('-') as ['before' | 'after', string]
      const { died, outcomes } = await sendDying(account, Number(fatal), how)
      expect([clean.outcomes, again]).toContainEqual(outcomes)
      if (died) deaths[how] += 1
    }
    expect(deaths.before).toBeGreaterThan(10)
    expect(deaths.before).toBeLessThan(STATEMENTS_MAX)
    expect(deaths.after).toBe(deaths.before)
    await settleAll(deployed)
    const owed = await charged('clean')
    expect(owed.length).toBeGreaterThan(10)
    for (const account of accounts) expect(await charged(account)).toEqual(owed)
    expect((await audit(deployed.pool, table, IDENTITY_WINDOW_MS / HOUR_MS)).findings).toEqual([])
    expect(await differences(deployed.pool)).toEqual([])
  })
})
