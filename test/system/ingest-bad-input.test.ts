import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { createIngest, QUEUE_EVENTS_MAX, SMALL_DELIVERY_EVENTS_MAX } from '../../src/flows/ingest/ingest.ts'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { DAYS_PER_TRANSACTION_MAX } from '../../src/flows/ingest/commit.ts'
import { differences, settleAll } from '../simulation/drive.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

// Guarantee: no event, whatever it says, fails the events beside it, is stored in part, or stops a bill. What the core
// refuses by itself is in src/core/ingest, what never becomes an event in http-bad-input.

const DAY = Date.parse('2025-03-03T00:00:00Z')
const HOUR_MS = 3_600_000

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment()
})
afterAll(() => deployed.close())

interface Fields {
  readonly time?: string
  readonly source?: string
  readonly type?: string
  readonly data?: Json
}

function call(subject: string, id: string, { data, ...fields }: Fields = {}): Json {
  const given = { operation: 'SimpleQuery', status: 200, ...(data as object) }
  const time = new Date(DAY + 10 * 60_000).toISOString()
  const type = 'farthing.request'
  return { specversion: '1.0', id, source: 's', type, subject, time, ...fields, data: given }
}

async function quantities(account: string): Promise<unknown[]> {
  const { rows } = await deployed.pool.query(
    `select usage_hour - $2::int as hour, item, project, sum(quantity)::text as quantity
       from bill_line where account = $1 group by 1, 2, 3 order by 1, 2, 3`,
    [account, hourOf(DAY as Instant)],
  )
  return rows
}

function submit(ingest: Ingest, events: readonly Json[]) {
  return ingest.submit(
    events.map((raw) => ({ raw })),
    undefined,
  )
}

describe('events that are unusual, and right', () => {
  test('a nanosecond before the hour belongs to that hour, in the database and on the bill', async () => {
    const times = [
      '00:59:59.999999999Z',
      '00:59:59.9999999Z',
      '01:00:00.000000000Z',
      '05:29:59.999999999+04:30',
    ]
    const events = times.map((time, index) => call('nanos', String(index), { time: `2025-03-03T${time}` }))
    expect(await deployed.send(events)).toEqual(events.map(() => 'accepted'))
    await deployed.settle()
    expect(await quantities('nanos')).toMatchObject([
      { hour: 0, quantity: '3' },
      { hour: 1, quantity: '1' },
    ])
  })

  test('quantities far above 2^53 are summed to the last digit; JSON numbers there are refused', async () => {
    const nines = '9'.repeat(30)
    const counts: Json[] = [nines, nines, '1', 9_007_199_254_740_991, 9_007_199_254_740_992, 1e21, '1e3']
    const events = counts.map((count, index) => call('large', String(index), { data: { count } }))
    expect(await deployed.send(events)).toEqual([
      ...Array.from({ length: 4 }, () => 'accepted'),
      ...Array.from({ length: 3 }, () => 'rejected'),
    ])
    await deployed.settle()
    const sum = 2n * BigInt(nines) + 1n + 9_007_199_254_740_991n
    expect(await quantities('large')).toMatchObject([{ quantity: String(sum) }])
  })

  test('signs of COPY, SQL and JSON are text like any other', async () => {
    const texts = ['\\N', '\\.', 'a\tb\r\nc\\', `'; drop table bill; --`, '"{}[]', '\u{1f9fe}\u0301', ' ']
    const events = texts.map((text) => call('signs', text, { source: text, data: { project: text } }))
    expect(await deployed.send(events)).toEqual(texts.map(() => 'accepted'))
    expect(await deployed.send(events)).toEqual(texts.map(() => 'duplicate'))
    await deployed.settle()
    const projects = (await quantities('signs')).map((line) => (line as { project: string }).project)
    expect(new Set(projects)).toEqual(new Set(texts))
  })

  test('names at their limits, of signs that do not compress, pass through every table to a bill', async () => {
    const account = noise(1, 255)
    const place = { project: noise(2, 255), region: noise(3, 255) }
    const named = { source: noise(4, 512), time: '2025-03-03T02:00:00Z' }
    const level = (id: string, time: string, bytes: string): Json => ({
      ...(call(account, id, named) as object),
      type: 'farthing.storage',
      time,
      data: { ...place, dataset: noise(5, 255), bytes },
    })
    const events = [
      call(account, noise(6, 512), { ...named, data: place }),
      call(account, noise(7, 512), { ...named, data: { ...place, operation: noise(8, 255) } }),
      { ...(call(account, noise(9, 512), named) as object), type: `t${'x'.repeat(254)}` },
      level(noise(10, 512), '2025-03-03T02:00:00Z', '5'),
      level(noise(11, 512), '2025-03-03T04:00:00Z', '0'),
    ]
    expect(await deployed.send(events)).toEqual(['accepted', 'held', 'held', 'accepted', 'accepted'])
    await deployed.settle()
    // Late, and the same again under another time.
    const late = [
      call(account, noise(12, 512), { ...named, data: place }),
      call(account, noise(6, 512), { ...named, time: '2025-03-03T03:30:00Z', data: place }),
    ]
    expect(await deployed.send(late)).toEqual(['accepted', 'accepted'])
    await settleAll(deployed)
    expect(await quantities(account)).toMatchObject([
      { hour: 2, item: 'IndexStorage', quantity: String(5 * HOUR_MS) },
      { hour: 2, item: 'StandardQueryL0', quantity: '2' },
      { hour: 3, item: 'IndexStorage', quantity: String(5 * HOUR_MS) },
    ])
  })

  test('a delivery over more days than one transaction may touch is stored in several', async () => {
    const days = DAYS_PER_TRANSACTION_MAX + 10
    const events = Array.from({ length: days }, (_, day) =>
      call('days', String(day), { time: new Date(DAY + day * 24 * HOUR_MS).toISOString() }),
    )
    expect(await deployed.send(events)).toEqual(events.map(() => 'accepted'))
    const { rows } = await deployed.pool.query(
      `select count(distinct xmin::text)::int as transactions, count(*)::int as events
         from usage_event where account = 'days'`,
    )
    expect(rows).toEqual([{ transactions: 2, events: days }])
  })
})

/** Text of so many bytes in UTF-8, in which nothing repeats. */
function noise(seed: number, bytes: number): string {
  let state = seed
  let text = ''
  while (Buffer.byteLength(text) < bytes - 3) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    text += String.fromCodePoint(0x2_0000 + ((state >> 8) % 0xa000))
  }
  return text + 'x'.repeat(bytes - Buffer.byteLength(text))
}

/** From now on the database refuses some rows, as it would if the core had let something through. */
async function spoil(condition: string, errcode: string): Promise<void> {
  await deployed.pool.query(`
    create function spoil() returns trigger language plpgsql as $$
    begin
      if ${condition} then raise exception 'spoilt' using errcode = '${errcode}'; end if;
      return new;
    end $$;
    create trigger spoil before insert on usage_event for each row execute function spoil()`)
}

describe('an event that the database cannot store', () => {
  afterEach(() => deployed.pool.query('drop function if exists spoil() cascade'))

  for (const errcode of ['22021', '53200', '54000']) {
    test(`(${errcode}) is refused alone: its neighbours of the same transaction are stored`, async () => {
      await spoil(`new.id like 'spoilt%'`, errcode)
      const clients = ['one', 'two', 'three'].map((name) => `${name}-${errcode}`)
      const answers = await Promise.all(
        clients.map((account, client) =>
          submit(
            deployed.ingest,
            Array.from({ length: 40 }, (_, index) =>
              call(account, client === 1 && index % 25 === 7 ? `spoilt-${index}` : String(index)),
            ),
          ),
        ),
      )
      const refused = answers.map((answer) =>
        answer.ok
          ? answer.results.flatMap(({ outcome }, index) => (outcome === 'accepted' ? [] : [index]))
          : null,
      )
      expect(refused).toEqual([[], [7, 32], []])
      const { rows } = await deployed.pool.query(
        `select account, id, code from refused_event where account = $1 order by id`,
        [clients[1]],
      )
      expect(rows).toEqual(
        ['spoilt-32', 'spoilt-7'].map((id) => ({ account: clients[1], id, code: 'event/unstorable' })),
      )
      await deployed.settle()
      for (const [client, account] of clients.entries()) {
        expect(await quantities(account)).toMatchObject([{ quantity: client === 1 ? '38' : '40' }])
      }
    })
  }

  test('for another reason fails its whole transaction: nothing is stored, and the same again will do', async () => {
    await spoil(`new.id = 'spoilt'`, '58030')
    const ingest = await createIngest({ pool: deployed.pool, log: { ...quiet, error() {} } })
    const events = [call('whole', '1'), call('whole', 'spoilt'), call('whole', '2')]
    expect(await submit(ingest, events)).toMatchObject({ ok: false, code: 'service/io_error' })
    const { rows } = await deployed.pool.query(`select from usage_event where account = 'whole'`)
    expect(rows).toEqual([])
    await deployed.pool.query('drop function spoil() cascade')
    expect(await submit(ingest, events)).toMatchObject({ ok: true })
    await ingest.close()
  })

  for (const errcode of ['40001', '40P01', '23505', '55P03']) {
    test(`at first (${errcode}) is stored in a later attempt`, async () => {
      await deployed.pool.query('create sequence attempts')
      await spoil(`new.id = 'spoilt' and nextval('attempts') <= 3`, errcode)
      const account = `again-${errcode}`
      expect(await deployed.send([call(account, '1'), call(account, 'spoilt')])).toEqual([
        'accepted',
        'accepted',
      ])
      await deployed.pool.query('drop sequence attempts')
    })
  }
})

describe('the same events at once', () => {
  test('in several processes, in any order: each is accepted once, and its other contents are conflicts', async () => {
    const ingests = await Promise.all(
      Array.from({ length: 5 }, () => createIngest({ pool: deployed.pool, log: quiet })),
    )
    const ids = Array.from({ length: 60 }, (_, index) => String(index))
    const answers = await Promise.all(
      ingests.map(async (ingest, process) => {
        const inOrder = process % 2 === 0 ? ids : ids.toReversed()
        const events = inOrder.map((id) => call('same', id, { data: { status: process === 4 ? 404 : 200 } }))
        const answer = await submit(ingest, events)
        if (!answer.ok) throw new Error(answer.detail)
        return answer.results.map(({ id, outcome }) => ({ id, outcome, process }))
      }),
    )
    await Promise.all(ingests.map((ingest) => ingest.close()))
    for (const id of ids) {
      const told = answers.flat().filter((answer) => answer.id === id)
      const outcomes = told.map(({ outcome }) => outcome).sort()
      const first = told.find(({ outcome }) => outcome === 'accepted')
      const others =
        first?.process === 4
          ? ['conflict', 'conflict', 'conflict', 'conflict']
          : ['conflict', 'duplicate', 'duplicate', 'duplicate']
      expect(outcomes).toEqual(['accepted', ...others])
    }
  })

  // Each waits for the rows of the other; only the order of the keys keeps two such transactions from a deadlock.
  test('in large groups and any order: nobody is ended by a deadlock', async () => {
    const count = 1_500
    const before = await deadlocks()
    const ingests = await Promise.all(
      Array.from({ length: 4 }, () => createIngest({ pool: deployed.pool, log: quiet })),
    )
    const ids = Array.from({ length: count }, (_, index) => String(index))
    const accepted = await Promise.all(
      ingests.map(async (ingest, process) => {
        const events = (process % 2 === 0 ? ids : ids.toReversed()).map((id) => call('deadlock', id))
        const answer = await submit(ingest, events)
        if (!answer.ok) throw new Error(answer.detail)
        return answer.results.filter(({ outcome }) => outcome === 'accepted').length
      }),
    )
    await Promise.all(ingests.map((ingest) => ingest.close()))
    expect(accepted.reduce((sum, some) => sum + some)).toBe(count)
    expect(await deadlocks()).toBe(before)
  })
})

/** In this database so far. A session tells its count when it is idle. */
async function deadlocks(): Promise<string> {
  await deployed.pool.query('select pg_stat_force_next_flush()')
  const { rows } = await deployed.pool.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  return rows[0]!.deadlocks
}

test('more than may wait is refused as a whole, none of it is stored, and a small delivery goes on', async () => {
  const ingest = await createIngest({ pool: deployed.pool, log: quiet })
  const large = (from: number) =>
    Array.from({ length: QUEUE_EVENTS_MAX / 2 }, (_, index) => call('queue', String(from + index)))
  const waiting = [submit(ingest, large(0)), submit(ingest, large(QUEUE_EVENTS_MAX))]
  const refused = await submit(
    ingest,
    Array.from({ length: SMALL_DELIVERY_EVENTS_MAX + 1 }, (_, index) => call('refused', String(index))),
  )
  expect(refused).toMatchObject({ ok: false, code: 'ingest/overloaded', retryAfterSeconds: 1 })
  let largeAnswers = 0
  for (const answer of waiting) void answer.then(() => largeAnswers++)
  const small = await submit(ingest, [call('small', '1')])
  expect(small).toMatchObject({ ok: true, results: [{ outcome: 'accepted' }] })
  expect(largeAnswers, 'it did not wait for the large ones').toBe(0)
  const closing = ingest.close()
  expect(await submit(ingest, [call('refused', 'late')])).toMatchObject({
    ok: false,
    code: 'ingest/stopping',
  })
  await closing
  const counts = (await Promise.all(waiting)).map((answer) => answer.ok && answer.results.length)
  expect(counts).toEqual([QUEUE_EVENTS_MAX / 2, QUEUE_EVENTS_MAX / 2])
  const { rows } = await deployed.pool.query(
    `select distinct account from usage_event where account in ('queue', 'refused', 'small') order by 1`,
  )
  expect(rows).toEqual([{ account: 'queue' }, { account: 'small' }])
})

test('all of it is billed as its facts say', async () => {
  await settleAll(deployed)
  expect(await differences(deployed.pool)).toEqual([])
  const { rows } = await deployed.pool.query(
    `select distinct account from usage_event e
      where not exists (select from bill b where b.account = e.account and b.hour = e.cycle)
        and not exists (select from settled_hour s where s.account = e.account and s.hour = e.cycle)`,
  )
  expect(rows).toEqual([])
})
