import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import {
  keepRefusals,
  REFUSAL_KINDS_MAX,
  type RefusalLimits,
  REFUSED_EVENTS_OF_KIND_MAX,
} from '../../src/flows/shared/keep-refusals.ts'
import { listRefusalCounts } from '../../src/flows/read/read-unbilled.ts'
import type { Log } from '../../src/store/connect.ts'
import { deleteOldRefusedEvents, type RefusedEvent } from '../../src/store/refusals.ts'
import { run } from '../../src/store/query.ts'
import { transaction } from '../../src/store/transaction.ts'
import { testDatabase } from '../database.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

// Guarantee: anyone who sends nonsense, however much, fills no disk and stops nobody; and every refusal is counted, once.

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment()
})
beforeEach(() => deployed.pool.query('truncate refused_event, refusal_count'))
afterAll(() => deployed.close())

const BATCH = 10_000

/** Rejected: `time` is none. */
function bad(subject: string, id: string, source = 's'): Json {
  const data = { operation: 'SimpleQuery', status: 200 }
  return { specversion: '1.0', id, source, type: 'farthing.request', subject, time: 'noon', data }
}

function batchOf(length: number, event: (index: number) => Json): readonly Json[] {
  return Array.from({ length }, (_, index) => event(index))
}

async function rows(): Promise<readonly { account: string; times: number }[]> {
  const found = await deployed.pool.query<{ account: string; times: number }>(
    'select account, times::int as times from refused_event order by number',
  )
  return found.rows
}

async function counts(): Promise<Record<string, number>> {
  const { items } = await listRefusalCounts(deployed.pool, {
    account: undefined,
    after: undefined,
    limit: 100_000,
  })
  return Object.fromEntries(
    items.map(({ account, source, code, times }) => [`${account} ${source} ${code}`, times]),
  )
}

/** Of one kind. An hour of the clock may have begun in between. */
async function expectBounded(account: string): Promise<void> {
  const { rows: kept } = await deployed.pool.query<{ events: number; hours: number }>(
    `select count(*)::int as events, count(distinct date_trunc('hour', first_at))::int as hours
       from refused_event where account = $1`,
    [account],
  )
  const [{ events, hours }] = kept as [{ events: number; hours: number }]
  expect(events).toBeGreaterThanOrEqual(REFUSED_EVENTS_OF_KIND_MAX)
  expect(events).toBeLessThanOrEqual(REFUSED_EVENTS_OF_KIND_MAX * hours)
}

describe('ten thousand bad events', () => {
  test('that are equal are one row, which says how often', async () => {
    const events = batchOf(BATCH, () => bad('equal', 'same'))
    expect(new Set(await deployed.send(events))).toEqual(new Set(['rejected']))
    expect(await rows()).toEqual([{ account: 'equal', times: BATCH }])
    await deployed.send(events.slice(0, 7))
    expect(await rows()).toEqual([{ account: 'equal', times: BATCH + 7 }])
    expect(await counts()).toEqual({ 'equal s event/invalid_time': BATCH + 7 })
  })

  test('with ever new ids are a hundred rows an hour, and a count', async () => {
    for (const part of ['a', 'b']) {
      await deployed.send(batchOf(BATCH, (index) => bad('ever-new', `${part}-${index}`)))
    }
    await expectBounded('ever-new')
    expect(await counts()).toEqual({ 'ever-new s event/invalid_time': 2 * BATCH })
  })

  test('of one sender leave room for the examples of another', async () => {
    await deployed.send([
      ...batchOf(BATCH, (index) => bad('loud', String(index))),
      ...batchOf(3, (index) => bad('still', String(index))),
    ])
    expect((await rows()).filter(({ account }) => account === 'still')).toHaveLength(3)
  })

  test('do not hide what is known already: it is counted up also when the hundred are full', async () => {
    await deployed.send([bad('full', 'first')])
    await deployed.send(batchOf(1_000, (index) => bad('full', String(index))))
    await deployed.send([bad('full', 'first'), bad('full', 'first'), bad('full', 'new')])
    const { rows: kept } = await deployed.pool.query(
      `select id, times::int as times, last_at > first_at as again from refused_event
        where id in ('first', 'new') and account = 'full'`,
    )
    expect(kept).toEqual([{ id: 'first', times: 3, again: true }])
  })
})

async function deadlocks(): Promise<number> {
  const { rows: found } = await deployed.pool.query<{ deadlocks: number }>(
    'select pg_stat_clear_snapshot(), deadlocks::int as deadlocks from pg_stat_database where datname = current_database()',
  )
  return found[0]!.deadlocks
}

describe('in several processes at once', () => {
  const PROCESSES = 4
  const ROUNDS = 12
  const KINDS = 25

  test('the same kinds are counted exactly, and nobody fails or waits in a circle', async () => {
    const errors: unknown[] = []
    const log: Log = { ...quiet, error: (fields) => void errors.push(fields) }
    const before = await deadlocks()
    await Promise.all(
      Array.from({ length: PROCESSES }, async (_, process) => {
        const ingest = await createIngest({ pool: deployed.pool, log })
        const submit = (events: readonly Json[]) =>
          ingest.submit(
            events.map((raw) => ({ raw })),
            undefined,
          )
        for (let round = 0; round < ROUNDS; round++) {
          // Equal ones for all, and new ones for each; kinds in another order each time.
          const equal = batchOf(KINDS, (kind) => bad(`kind-${kind}`, 'equal'))
          const own = batchOf(KINDS * 10, (index) =>
            bad(`kind-${index % KINDS}`, `${process} ${round} ${index}`),
          )
          const all = [...equal, ...own]
          const events = (process + round) % 2 === 0 ? all : all.toReversed()
          const answers = await Promise.all([
            submit(events),
            submit(events.slice(0, 100)),
            submit(events.slice(100)),
          ])
          expect(answers.map(({ ok }) => ok)).toEqual([true, true, true])
        }
        await ingest.close()
      }),
    )
    const times = PROCESSES * ROUNDS * 2
    const expected = batchOf(KINDS, (kind) => [`kind-${kind} s event/invalid_time`, times * 11])
    expect(await counts()).toEqual(Object.fromEntries(expected as [string, number][]))
    const { rows: equal } = await deployed.pool.query(
      `select distinct times::int as times, count(*)::int as kinds from refused_event where id = 'equal' group by 1`,
    )
    expect(equal).toEqual([{ times, kinds: KINDS }])
    for (let kind = 0; kind < KINDS; kind++) await expectBounded(`kind-${kind}`)
    expect([errors, (await deadlocks()) - before]).toEqual([[], 0])
  })
})

describe('a transaction that is tried again', () => {
  afterEach(() =>
    deployed.pool.query('drop function if exists spoil() cascade; drop sequence if exists attempts'),
  )

  for (const errcode of ['40001', '40P01', '23505']) {
    test(`(${errcode}) counts what it refuses once`, async () => {
      await deployed.pool.query(`
        create sequence attempts;
        create function spoil() returns trigger language plpgsql as $$
        begin
          if nextval('attempts') <= 3 then raise exception 'spoilt' using errcode = '${errcode}'; end if;
          return new;
        end $$;
        create trigger spoil before insert on refused_event for each row execute function spoil()`)
      await deployed.send([bad('again', '1'), bad('again', '1')])
      expect(await rows()).toEqual([{ account: 'again', times: 2 }])
      expect(await counts()).toEqual({ 'again s event/invalid_time': 2 })
    })
  }
})

function refusal(account: string | null, id = '1', code = 'event/invalid_time'): RefusedEvent {
  return { outcome: 'rejected', account, source: 's', id, code, detail: 'Wrong.', body: '{}' }
}

function keep(events: readonly RefusedEvent[], limits?: RefusalLimits): Promise<void> {
  return transaction(deployed.pool, (client) => keepRefusals(client, events, limits))
}

describe('kinds beyond the bound', () => {
  const limits = { kindsMax: 3, ofKindMax: 2 }

  test('are counted by code, and those that have a name keep it', async () => {
    await keep([refusal('a'), refusal('b')], limits)
    await keep([refusal('c'), refusal('d'), refusal('a'), refusal('e'), refusal('e', '2')], limits)
    await keep([refusal('d'), refusal('f', '1', 'event/too_long'), refusal('b'), refusal(null)], limits)
    expect(await counts()).toEqual({
      'a s event/invalid_time': 2,
      'b s event/invalid_time': 2,
      'c s event/invalid_time': 1,
      // d and e twice each, and the one without an account.
      'null null event/invalid_time': 5,
      'null null event/too_long': 1,
    })
  })

  test('share the room for examples, under the names that they have', async () => {
    await keep([refusal('a'), refusal('b'), refusal('c')], limits)
    await keep([refusal('d'), refusal('e'), refusal('g')], limits)
    expect((await rows()).map(({ account }) => account).sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('fill nothing, however many they are', async () => {
    const named = batchOf(REFUSAL_KINDS_MAX - 1, (index) => bad(`account-${index}`, '1'))
    await deployed.send(named)
    await deployed.send(batchOf(2_000, (index) => bad('one', String(index), `source-${index}`)))
    const all = await counts()
    expect(Object.keys(all)).toHaveLength(REFUSAL_KINDS_MAX + 1)
    expect(all['one source-0 event/invalid_time']).toBe(1)
    expect(all['null null event/invalid_time']).toBe(1_999)
    const { length } = (await rows()).filter(({ account }) => account === 'one')
    expect(length).toBeLessThanOrEqual(1 + 2 * REFUSED_EVENTS_OF_KIND_MAX)
  })
})

test('the oldest rows go, and their counts stay', async () => {
  for (let index = 0; index < 9; index++) await keep([refusal('pruned', String(index))])
  for (let index = 0; index < 10; index++) await keep([refusal('pruned', '5')])
  // What was rolled back took numbers too, and must not push out what is there.
  const lost = transaction(deployed.pool, async (client) => {
    for (let index = 0; index < 10; index++) await keepRefusals(client, [refusal('pruned', `lost ${index}`)])
    throw new Error('rolled back')
  })
  await expect(lost).rejects.toThrow('rolled back')
  await keep([refusal('pruned', '9'), refusal('pruned', '9')])
  await run(deployed.pool, deleteOldRefusedEvents, { kept: 4 })
  const { rows: kept } = await deployed.pool.query<{ id: string }>('select id from refused_event order by id')
  expect(kept.map(({ id }) => id)).toEqual(['6', '7', '8', '9'])
  expect(await counts()).toEqual({ 'pruned s event/invalid_time': 21 })
  await keep([refusal('pruned', '5')])
  expect((await rows()).at(-1)).toEqual({ account: 'pruned', times: 1 })
})

test('what was refused before it was counted is a row each, and the counts begin with it', async () => {
  const database = await testDatabase()
  const folder = fileURLToPath(new URL('../../src/store/schema/', import.meta.url))
  const files = readdirSync(folder).sort()
  const schema = (name: string) => readFileSync(folder + name, 'utf8')
  try {
    await database.pool.query('drop schema farthing cascade; create schema farthing')
    for (const name of files.filter((file) => file < '0008')) await database.pool.query(schema(name))
    await database.pool.query(`
      insert into refused_event (outcome, account, source, id, code, detail, body)
      values ('rejected', 'a', 's', '1', 'event/too_long', '', ''), ('rejected', 'a', 's', '1', 'event/too_long', '', ''),
             ('rejected', 'a', null, '1', 'event/foreign_account', '', '')`)
    await database.pool.query(schema(files.find((file) => file.startsWith('0008'))!))
    const { rows: migrated } = await database.pool.query(
      'select account, times::int as times, last_at = first_at as once from refused_event order by number',
    )
    expect(migrated.map(({ account }) => account as string | null)).toEqual(['a', 'a', null])
    expect(migrated.every(({ times, once }) => times === 1 && once === true)).toBe(true)
    const page = { account: undefined, after: undefined, limit: 10 }
    expect((await listRefusalCounts(database.pool, page)).items).toMatchObject([
      { account: null, source: null, code: 'event/foreign_account', times: 1 },
      { account: 'a', source: 's', code: 'event/too_long', times: 2 },
    ])
  } finally {
    await database.drop()
  }
})
