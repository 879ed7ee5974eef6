import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { insertLiveEvents, checksumOf, type StoredEvent } from '../../src/store/events-table.ts'
import { GATE, GATE_PATIENCE_MS } from '../../src/store/gate.ts'
import { findWatermarks } from '../../src/store/deployment.ts'
import { runOne } from '../../src/store/query.ts'
import { deployment, type Deployment, quiet } from './deployment.ts'

// Guarantee: the one statement that stores nearly all usage stores the events whose keys are free and names the others,
// only while the deployment is where the caller thinks it is and their hours are open, and never passes a held gate.

const DAY = Date.UTC(2026, 6, 28)
let deployed: Deployment
let expected: { priceVersion: number; accountsVersion: number }

beforeAll(async () => {
  deployed = await deployment(hourOf(DAY as Instant))
  await deployed.pool.query('select add_event_table($1)', [DAY / 3_600_000])
})
afterAll(() => deployed.close())
beforeEach(async () => {
  await deployed.pool.query('truncate usage_event')
  await deployed.pool.query('update deployment set sealed_until = first_hour')
  expected = (await runOne(deployed.pool, findWatermarks, undefined))!
})

function event(id: string, at = DAY): StoredEvent {
  const plain = {
    account: 'acme',
    source: 's',
    id,
    type: 'farthing.request',
    at: at as Instant,
    hour: hourOf(at as Instant),
    data: '{"operation":"SimpleQuery","status":200}',
    attributes: null,
    usage: undefined,
  }
  const bucket = bucketOf(plain.account)
  return { ...plain, bucket, receivedAt: at as Instant, checksum: checksumOf(plain) }
}

async function stored(): Promise<readonly string[]> {
  const { rows } = await deployed.pool.query<{ id: string }>('select id from usage_event order by id')
  return rows.map(({ id }) => id)
}

test('events of open hours count in their own hours, and the clock is told', async () => {
  const live = await insertLiveEvents(deployed.pool, [event('a'), event('b', DAY + 3_600_000)], expected)
  expect(live!.present).toEqual([])
  expect(Math.abs(live!.now - Date.now())).toBeLessThan(60_000)
  const { rows } = await deployed.pool.query(
    'select id, hour - $1 as hour, cycle - $1 as cycle, checksum, account, source, data from usage_event order by id',
    [hourOf(DAY as Instant)],
  )
  const { account, source, data } = event('a')
  expect(rows).toEqual([
    { id: 'a', hour: 0, cycle: 0, checksum: event('a').checksum, account, source, data },
    { id: 'b', hour: 1, cycle: 1, checksum: event('b', DAY + 3_600_000).checksum, account, source, data },
  ])
})

describe('nothing is stored', () => {
  test.each([
    ['under another price book', () => ({ ...expected, priceVersion: expected.priceVersion + 1 })],
    ['after an account was closed', () => ({ ...expected, accountsVersion: expected.accountsVersion + 1 })],
  ])('%s', async (_, other) => {
    expect(await insertLiveEvents(deployed.pool, [event('a')], other())).toBeUndefined()
    expect(await stored()).toEqual([])
  })

  test('when the hour of the earliest is sealed', async () => {
    await deployed.pool.query('update deployment set sealed_until = first_hour + 1')
    const both = [event('a'), event('b', DAY + 3_600_000)]
    expect(await insertLiveEvents(deployed.pool, both, expected)).toBeUndefined()
    expect(await stored()).toEqual([])
    expect(await insertLiveEvents(deployed.pool, both.slice(1), expected)).toBeDefined()
  })
})

test('a key that is taken is named and stays as it is, and the others are stored', async () => {
  await insertLiveEvents(deployed.pool, [event('b')], expected)
  const group = [event('a'), { ...event('b'), data: '{}' }, event('c')]
  expect(await insertLiveEvents(deployed.pool, group, expected)).toMatchObject({ present: [1] })
  expect(await stored()).toEqual(['a', 'b', 'c'])
  const { rows } = await deployed.pool.query(`select data from usage_event where id = 'b'`)
  expect(rows).toEqual([{ data: event('b').data }])
})

test('who waited at the gate sees what was sealed behind it', async () => {
  const sealing = await deployed.pool.connect()
  try {
    await sealing.query('begin')
    await sealing.query('select pg_advisory_xact_lock($1)', [GATE])
    const adding = insertLiveEvents(deployed.pool, [event('a')], expected)
    await untilOneWaits()
    await sealing.query('update deployment set sealed_until = first_hour + 1')
    await sealing.query('commit')
    expect(await adding).toBeUndefined()
    expect(await stored()).toEqual([])
  } finally {
    sealing.release()
  }
})

async function untilOneWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await deployed.pool.query(
      `select from pg_locks where locktype = 'advisory' and not granted and objid = $1
          and database = (select oid from pg_database where datname = current_database())`,
      [GATE],
    )
    if (rowCount) return
  }
}

describe('what the one statement cannot store', () => {
  const call = (id: string, at = DAY) => ({
    specversion: '1.0',
    id,
    source: 's',
    type: 'farthing.request',
    subject: 'acme',
    time: new Date(at).toISOString(),
    data: { operation: 'SimpleQuery', status: 200 },
  })

  test('because of one event is stored without that one, which is refused alone', async () => {
    await deployed.pool.query(`
      create function spoil() returns trigger language plpgsql as $$
      begin
        if new.id = 'spoilt' then raise exception 'spoilt' using errcode = '22021'; end if;
        return new;
      end $$;
      create trigger spoil before insert on usage_event for each row execute function spoil()`)
    try {
      const outcomes = await deployed.send(['a', 'spoilt', 'b'].map((id) => call(id)))
      expect(outcomes).toEqual(['accepted', 'rejected', 'accepted'])
    } finally {
      await deployed.pool.query('drop function spoil() cascade')
    }
    expect(await stored()).toEqual(['a', 'b'])
  })

  test('because another process has stored one of them is looked up, at once', async () => {
    await insertLiveEvents(deployed.pool, [event('b')], expected)
    const other = await createIngest({ pool: deployed.pool, log: quiet })
    let sessions = 0
    const count = () => void sessions++
    deployed.pool.on('acquire', count)
    const answer = await other.submit(
      ['a', 'b', 'c'].map((id) => ({ raw: call(id) })),
      undefined,
    )
    deployed.pool.off('acquire', count)
    const outcomes = answer.ok && answer.results.map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['accepted', 'duplicate', 'accepted'])
    expect(sessions, 'for the day, for the one statement, and for the transaction that looks').toBe(3)
    await other.close()
    expect(await stored()).toEqual(['a', 'b', 'c'])
  })
})

test('it waits at the gate as long as all others do', async () => {
  const { rows } = await deployed.pool.query<{ proconfig: string[] }>(
    `select proconfig from pg_proc where proname = 'insert_live_events'`,
  )
  expect(rows[0]!.proconfig).toEqual([`lock_timeout=${GATE_PATIENCE_MS / 1000}s`])
})
