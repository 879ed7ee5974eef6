import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { formatHour, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { readHealth } from '../../src/flows/read/read-health.ts'
import type { AsideNews } from '../../src/flows/settle/set-aside.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Deployment, deployment, essence } from './deployment.ts'

// Guarantee: what is stored of one account cannot stop the bills of another. The account is set aside, named, tried again,
// and has the bills that it would have had when the cause is gone.

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour
const HOUR_MS = 3_600_000
const BAD = 'bad'
/** Its bucket is that of the damaged account. */
const NEIGHBOUR = neighbourOf(BAD)
const ACCOUNTS = [BAD, NEIGHBOUR, 'other', 'third']

function neighbourOf(account: string): string {
  for (let number = 0; ; number++) if (bucketOf(`n${number}`) === bucketOf(account)) return `n${number}`
}

function event(subject: string, id: string, hour: number, type: string, data: Json): Json {
  const time = formatInstant((startOf(hour as Hour) + 600_000) as Instant)
  return { specversion: '1.0', id, source: 's', type, subject, time, data }
}

/** Calls and a level of stored data of every account in every hour; one identity comes twice, under two times. */
function usage(from: number, to: number): readonly Json[] {
  const hours = Array.from({ length: to - from }, (_, index) => from + index)
  return ACCOUNTS.flatMap((account) =>
    hours.flatMap((hour) => [
      event(account, `c${hour}`, hour, 'farthing.request', { operation: 'SimpleQuery', status: 200 }),
      event(account, 'twice', hour, 'farthing.request', { operation: 'SimpleQuery', status: 200 }),
      event(account, `l${hour}`, hour, 'farthing.storage', { dataset: 'd', bytes: String(hour * 1_000_000) }),
    ]),
  )
}

const LIVE = usage(first, now - 1)
const PAST = usage(first - 40, first - 38)

/** Seals and settles hours before this one. */
async function settleUntil(deployed: Deployment, hour: number, more: object = {}): Promise<number> {
  const graceMs = Date.now() - hour * HOUR_MS - HOUR_MS / 2
  return deployed.settle({ graceMs, onAside: () => undefined, ...more })
}

async function billsOf(deployed: Deployment, accounts = ACCOUNTS) {
  const bills = await Promise.all(accounts.map((account) => deployed.billsOf(account)))
  return bills.flat().map(essence)
}

async function differences(deployed: Deployment) {
  const found: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(deployed.pool, all)) found.push(one)
  return found
}

async function marks({ pool }: Deployment) {
  const { rows } = await pool.query<{ settled: number; sealed: number }>(
    'select settled_until as settled, sealed_until as sealed from deployment',
  )
  return rows[0]!
}

interface Damage {
  readonly form: string
  readonly damage: string
  readonly repair: string
  /** Of whole buckets: everybody in them waits. */
  readonly isShared?: true
}

const THIRD = first + 2
const AT_THIRD = `account = '${BAD}' and hour = ${THIRD}`

const DAMAGES: readonly Damage[] = [
  {
    form: 'an event whose data is no JSON',
    damage: `update usage_event set data = left(data, 9) where id = 'c${THIRD}' and ${AT_THIRD}`,
    repair: `update usage_event set data = '{"operation":"SimpleQuery","status":200}' where id = 'c${THIRD}' and ${AT_THIRD}`,
  },
  {
    form: 'an event whose data is another kind of JSON',
    damage: `update usage_event set data = '[]' where id = 'c${THIRD}' and ${AT_THIRD}`,
    repair: `update usage_event set data = '{"operation":"SimpleQuery","status":200}' where id = 'c${THIRD}' and ${AT_THIRD}`,
  },
  {
    form: 'a bill that is there already',
    // Of a month that may have begun within these hours, so that it has no bills yet.
    damage: `select add_bill_month(${THIRD});
             insert into bill (hour, bucket, account, step, sequence, issued_at, currency, demo, late, statement_month,
               price_version, total, request, processing, storage, lines, events_digest, lines_digest, digest)
             select ${THIRD}, bucket, account, 0, 0, 0, '', true, false, '', 1, 0, 0, 0, 0, 0, '', '', ''
               from usage_event where id = 'c${THIRD}' and ${AT_THIRD}`,
    repair: `delete from bill where step = 0`,
  },
  {
    form: 'a row that a constraint refuses',
    damage: `alter table bill_line add constraint never check (account <> '${BAD}') not valid`,
    repair: `alter table bill_line drop constraint never`,
  },
  {
    form: 'an error while the account is updated',
    damage: `create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
             create trigger refuse before insert or update on account for each row when (new.account = '${BAD}')
               execute function refuse()`,
    repair: `drop trigger refuse on account; drop function refuse()`,
  },
  {
    form: 'a stored level that is no number',
    damage: `update storage_level set bytes = 'NaN' where account = '${BAD}';
             update storage_total set bytes = 'NaN' where account = '${BAD}'`,
    repair: `update storage_level set bytes = (at / 3600000)::numeric * 1000000 where account = '${BAD}';
             update storage_total set bytes = (select bytes from storage_series where account = '${BAD}')
              where account = '${BAD}'`,
  },
  {
    form: 'a stored level below 0',
    damage: `update storage_level set bytes = -bytes where account = '${BAD}';
             update storage_total set bytes = -bytes where account = '${BAD}'`,
    repair: `update storage_level set bytes = -bytes where account = '${BAD}';
             update storage_total set bytes = -bytes where account = '${BAD}'`,
  },
  {
    form: 'fingerprints of all accounts that cannot be read',
    damage: `update identity_segment set fingerprints = fingerprints || '\\x00'::bytea`,
    repair: `update identity_segment set fingerprints = substr(fingerprints, 1, length(fingerprints) - 1)
              where length(fingerprints) % 4 = 1`,
    isShared: true,
  },
]

describe('one damaged row', () => {
  let wanted: Awaited<ReturnType<typeof billsOf>>

  /** The first two hours are settled before the damage. */
  async function begun(): Promise<Deployment> {
    const deployed = await deployment(first)
    await deployed.send(LIVE)
    await settleUntil(deployed, THIRD)
    return deployed
  }

  beforeAll(async () => {
    const sound = await begun()
    await settleUntil(sound, now)
    await sound.send(PAST)
    await settleUntil(sound, now)
    wanted = await billsOf(sound)
    await sound.close()
  })

  test.for(DAMAGES)('$form: others are billed, and it catches up', async ({ damage, repair, isShared }) => {
    const deployed = await begun()
    const { pool } = deployed
    const news: AsideNews[] = []
    const onAside = (one: AsideNews) => void news.push(one)
    await pool.query(damage)
    await settleUntil(deployed, now, { onAside })
    expect(news.length).toBeGreaterThan(0)
    expect(new Set(news.map(({ kind }) => kind))).toEqual(new Set(['set aside']))
    const health = await readHealth(pool, 600_000)
    if (!isShared) {
      expect(news.map(({ aside }) => aside.account)).toEqual([BAD])
      expect(health.someAside.map(({ account, hour }) => [account, hour])).toEqual([[BAD, THIRD]])
      const others = ACCOUNTS.filter((account) => account !== BAD)
      const live = wanted.filter(({ account, hour }) => account !== BAD && hour >= first)
      const issued = await billsOf(deployed, others)
      expect(issued.map(({ account, hour, total }) => [account, hour, total])).toEqual(
        live.map(({ account, hour, total }) => [account, hour, total]),
      )
    }
    // What is not settled is not said to be, and is not tried again before its pause is over.
    expect(await marks(deployed)).toEqual({ settled: THIRD, sealed: now })
    await settleUntil(deployed, now, { onAside })
    expect(news.filter(({ kind }) => kind === 'failed again')).toEqual([])
    await settleUntil(deployed, now, { onAside, retryNow: true })
    expect(news.filter(({ kind }) => kind === 'failed again').length).toBeGreaterThan(0)
    expect(await marks(deployed)).toEqual({ settled: THIRD, sealed: now })

    await pool.query(repair)
    await pool.query(`update set_aside set retry_at = clock_timestamp()`)
    await settleUntil(deployed, now, { onAside })
    expect((await pool.query('select from set_aside')).rows).toEqual([])
    expect(await marks(deployed)).toEqual({ settled: now, sealed: now })
    await deployed.send(PAST)
    await settleUntil(deployed, now, { onAside })
    expect(await billsOf(deployed)).toEqual(wanted)
    expect(await differences(deployed)).toEqual([])
    await deployed.close()
  })

  test('in backfill: others are billed, and it catches up', async () => {
    const deployed = await begun()
    await settleUntil(deployed, now)
    await deployed.send(PAST)
    const where = `where id = 'c${first - 40}' and account = '${BAD}'`
    await deployed.pool.query(`update usage_event set data = '{' ${where}`)
    await settleUntil(deployed, now)
    const others = wanted.filter(({ account }) => account !== BAD)
    const issued = await billsOf(deployed, ACCOUNTS.slice(1))
    expect(issued).toEqual(others)
    const data = '{"operation":"SimpleQuery","status":200}'
    await deployed.pool.query(`update usage_event set data = '${data}' ${where}`)
    await settleUntil(deployed, now, { retryNow: true })
    expect(await billsOf(deployed)).toEqual(wanted)
    expect(await differences(deployed)).toEqual([])
    await deployed.close()
  })
})

describe('while an account is set aside', () => {
  let deployed: Deployment
  beforeAll(async () => {
    deployed = await deployment(first)
    await deployed.send(LIVE)
    await settleUntil(deployed, THIRD)
    await deployed.pool.query(`update usage_event set data = '{' where id = 'c${THIRD}' and ${AT_THIRD}`)
    await settleUntil(deployed, now)
  })
  afterAll(() => deployed.close())

  test('each failure makes the pause longer, up to ten minutes', async () => {
    const pauses: number[] = []
    const onAside = ({ aside }: AsideNews) =>
      void pauses.push(Math.round((aside.retryAt - Date.now()) / 1_000))
    for (let attempt = 0; attempt < 9; attempt++)
      await settleUntil(deployed, now, { retryNow: true, onAside })
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600])
  })

  test('two processes at once neither fail nor double anything', async () => {
    await deployed.send([
      event('third', 'late', first + 1, 'farthing.request', { operation: 'SimpleQuery', status: 200 }),
    ])
    await Promise.all([1, 2, 3].map(() => settleUntil(deployed, now, { retryNow: true })))
    const { rows } = await deployed.pool.query('select account, hour from set_aside')
    expect(rows).toEqual([{ account: BAD, hour: THIRD }])
    expect(await differences(deployed)).toEqual([])
  })

  test('its place and the reason are told, and not what is stored', async () => {
    const { someAside } = await readHealth(deployed.pool, 600_000)
    expect(someAside).toMatchObject([
      { account: BAD, hour: THIRD, code: 'SyntaxError', reason: 'stored JSON cannot be read' },
    ])
    expect(formatHour(someAside[0]!.hour)).toBe(formatHour(THIRD as Hour))
  })
})
