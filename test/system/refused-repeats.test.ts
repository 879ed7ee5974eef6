import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, startOf } from '../../src/core/time/hour.ts'
import { putAccount } from '../../src/flows/accounts/put-account.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { DAYS_PER_TRANSACTION_MAX } from '../../src/flows/ingest/commit.ts'
import { createTrial } from '../../src/flows/ingest/dry-run.ts'
import { type Deployment, quiet } from './deployment.ts'
import { BOOK, deployedWith, item, publish, thisHour, usage, withItems } from './price-versions.ts'

// Guarantee: what was taken once is a duplicate for ever, whatever became of the price book and the account since; and
// each refusal is counted once, also when its group has to be read again in the middle.

const HOUR = (thisHour() - 48) as Hour

/** Knows an operation and a type that the first one does not. */
const NEXT = {
  ...withItems({ Fresh: item('processing', { operations: ['Fresh'], unit: 'page' }) }),
  eventTypes: {
    'com.acme.page': { component: 'processing', operation: 'Render', quantities: { page: 'pages' } },
  },
}

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployedWith(BOOK)
})
beforeEach(() => deployed.pool.query('truncate refused_event, refusal_count'))
afterAll(() => deployed.close())

async function outcomesBy(ingest: Ingest, events: readonly Json[]): Promise<readonly string[]> {
  const submitted = await ingest.submit(
    events.map((raw) => ({ raw })),
    undefined,
  )
  if (!submitted.ok) throw new Error(submitted.detail)
  return submitted.results.map(({ outcome, code }) => code ?? outcome)
}

const outcomes = (events: readonly Json[]) => outcomesBy(deployed.ingest, events)

/** What a dry run says of the same. */
async function tried(events: readonly Json[]): Promise<readonly string[]> {
  const trial = createTrial({ pool: deployed.pool })
  const { events: results } = await trial.tryEvents(
    events.map((raw) => ({ raw })),
    undefined,
  )
  return results.map(({ outcome, code }) => code ?? outcome)
}

async function counts(): Promise<Readonly<Record<string, number>>> {
  const { rows } = await deployed.pool.query<{ code: string; times: number }>(
    'select code, sum(times)::int as times from refusal_count group by code order by code',
  )
  return Object.fromEntries(rows.map(({ code, times }) => [code, times]))
}

const work = (id: string, data: { [key: string]: Json }, type = 'farthing.processing') =>
  usage(id, HOUR, { mode: 'sync', ...data }, { type })

describe('a repeat is a duplicate', () => {
  test('of a held event that lacks what a later price book asks for', async () => {
    const fresh = (id: string, quantities: Json) => work(id, { operation: 'Fresh', quantities })
    const page = (id: string, data: { [key: string]: Json }) => work(id, data, 'com.acme.page')
    const held = [fresh('lacks', { call: 1 }), page('unfit', { pages: 'many' })]
    expect(await outcomes(held)).toEqual(['held/unknown_operation', 'held/unknown_type'])
    expect(await publish(deployed, NEXT)).toMatchObject({ ok: true })

    const sent = [
      ...held,
      // Other contents under the same identities, and the same under others, are refused for what they are.
      fresh('lacks', { call: 2 }),
      fresh('new', { call: 1 }),
      page('unfit', { pages: 'few' }),
      page('new', { pages: 'many' }),
    ]
    const invalid = 'event/invalid_quantity'
    const said = ['duplicate', 'duplicate', 'event/missing_unit', 'event/missing_unit', invalid, invalid]
    expect(await tried(sent)).toEqual(said)
    expect(await outcomes(sent)).toEqual(said)
    // By a process that has not seen the first ones either.
    const other = await createIngest({ pool: deployed.pool, log: quiet })
    expect(await outcomesBy(other, sent)).toEqual(said)
    await other.close()
    expect(await counts()).toEqual({ 'event/invalid_quantity': 4, 'event/missing_unit': 4 })
  })

  test('of an event that was taken before its account was closed', async () => {
    const call = (id: string) => usage(id, HOUR, { operation: 'Get' }, { subject: 'closing' })
    expect(await outcomes([call('before')])).toEqual(['accepted'])
    await putAccount(deployed.pool, 'test', 'closing', { closedAt: startOf(HOUR) })
    const sent = [call('before'), call('after'), call('before')]
    expect(await tried(sent)).toEqual(['duplicate', 'event/account_closed', 'duplicate'])
    expect(await outcomes(sent)).toEqual(['duplicate', 'event/account_closed', 'duplicate'])
    expect(await counts()).toEqual({ 'event/account_closed': 1 })
  })
})

/** A pool that does something once, before the first transaction after one that stored an event with this beginning. */
function interrupted(pool: pg.Pool, id: string, work: () => Promise<unknown>): pg.Pool {
  let isDone = false
  const isStored = async () => {
    const stored = await pool.query('select from usage_event where starts_with(id, $1)', [id])
    return stored.rows.length > 0
  }
  return new Proxy(pool, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name, target)
      if (typeof own !== 'function') return own
      if (name !== 'connect') return own.bind(target) as unknown
      return async () => {
        if (!isDone && (await isStored())) {
          isDone = true
          await work()
        }
        return target.connect()
      }
    },
  })
}

describe('a group of several transactions that is read again in the middle counts and answers each event once', () => {
  const day = (id: string, days: number, more = {}) =>
    usage(id, HOUR - 24 * days, { operation: 'Get' }, { subject: 'group', ...more })
  const bad = (id: string) => usage(id, HOUR, { operation: 'Get' }, { subject: 'group', time: 'noon' })
  const taken = (name: string) => usage(name, HOUR, { operation: 'List' }, { subject: 'group' })
  let name = 0
  const newVersion = async () => {
    expect(await publish(deployed, { ...NEXT, priceBook: `p${name++}` })).toMatchObject({ ok: true })
  }
  const closing = () =>
    putAccount(deployed.pool, 'test', `other-${name++}`, { closedAt: startOf(thisHour()) })

  for (const [what, work] of [
    ['a publication', newVersion],
    ['a closing', closing],
  ] as const) {
    test(`after ${what}, because of its days`, async () => {
      const id = `days-${what}`
      await outcomes([day(id, 0)])
      const many = Array.from({ length: DAYS_PER_TRANSACTION_MAX + 5 }, (_, at) => day(`${id}-${at}`, at))
      const ingest = await createIngest({ pool: interrupted(deployed.pool, `${id}-`, work), log: quiet })
      const said = await outcomesBy(ingest, [taken(id), bad('b'), ...many, bad('b')])
      await ingest.close()
      const time = 'event/invalid_time'
      expect(said).toEqual(['event/conflict', time, ...many.map(() => 'accepted'), time])
      expect(await counts()).toEqual({ 'event/conflict': 1, [time]: 2 })
    })

    test(`after ${what}, because it was halved`, async () => {
      const id = `halves-${what}`
      await outcomes([day(id, 0)])
      await deployed.pool.query(`
        create function spoil() returns trigger language plpgsql as $$
        begin
          if new.id like '%spoilt' then raise exception 'spoilt' using errcode = '22021'; end if;
          return new;
        end $$;
        create trigger spoil before insert on usage_event for each row execute function spoil()`)
      const good = [day(`${id}-1`, 0), day(`${id}-2`, 0)]
      const ingest = await createIngest({ pool: interrupted(deployed.pool, `${id}-`, work), log: quiet })
      const said = await outcomesBy(ingest, [taken(id), bad('b'), ...good, day(`${id}-spoilt`, 0), bad('b')])
      await ingest.close()
      await deployed.pool.query('drop function spoil() cascade')
      const time = 'event/invalid_time'
      expect(said).toEqual(['event/conflict', time, 'accepted', 'accepted', 'event/unstorable', time])
      expect(await counts()).toEqual({ 'event/conflict': 1, [time]: 2, 'event/unstorable': 1 })
    })
  }
})
