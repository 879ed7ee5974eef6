import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { CountedThreads, delivery } from './ingest-threads.ts'

// Guarantee: a large delivery, which is read and stored by a thread of its own, is answered as any other, and what
// was answered is stored once.

let threads: CountedThreads
let threaded: TestServer
/** The same without threads. */
let plain: TestServer

beforeAll(async () => {
  plain = await testServer()
  threaded = await testServer({ large: (...of) => (threads = new CountedThreads(...of)) })
  await threads.ready()
})
afterAll(async () => {
  await threads.threads.close()
  await Promise.all([plain.close(), threaded.close()])
})

let made = 0
const TIME = new Date().toISOString()

/** Events of some 250 bytes with new ids. */
function events(count: number, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown>[] {
  const filling = 'x'.repeat(80)
  return Array.from({ length: count }, () =>
    requestEvent(`e-${made++}`, { time: TIME, padding: filling, ...more }),
  )
}

const lines = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).join('\n')

interface Body {
  readonly what: string
  readonly body: unknown
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
}

const NDJSON = 'application/x-ndjson'
const MIXED = [
  ...events(300),
  requestEvent('late', { time: 'yesterday' }),
  { not: 'an event' },
  'text',
  requestEvent('unknown', { data: { operation: 'NoSuchOperation', status: 200 } }),
  requestEvent('twice', { time: TIME }),
  requestEvent('twice', { time: TIME }),
  requestEvent('twice', { time: TIME, data: { operation: 'SimpleQuery', status: 404 } }),
  requestEvent('ünï💰', { time: TIME }),
]
const BIG_DATA = { operation: 'SimpleQuery', status: 200, note: 'x'.repeat(70_000) }
const CE = { 'ce-specversion': '1.0', 'ce-id': 'b', 'ce-source': 's', 'ce-subject': 'acme' }

const BODIES: readonly Body[] = [
  { what: 'a list with every outcome', body: MIXED, status: 200 },
  { what: 'a batch of CloudEvents', body: MIXED, type: 'application/cloudevents-batch+json', status: 200 },
  { what: 'lines, three of them bad', body: `${lines(MIXED)}\n{"id":\n\n[]`, type: NDJSON, status: 200 },
  {
    what: 'packed lines',
    body: gzipSync(lines(events(3_000))),
    type: NDJSON,
    headers: { 'content-encoding': 'gzip' },
    status: 200,
  },
  { what: 'blanks alone', body: ' '.repeat(70_000), type: NDJSON, status: 200 },
  {
    what: 'an event too large, on its own',
    body: requestEvent('big', { time: TIME, data: BIG_DATA }),
    status: 400,
  },
  {
    what: 'one in binary mode',
    body: BIG_DATA,
    headers: { ...CE, 'ce-type': 'farthing.request', 'ce-time': TIME },
    status: 400,
  },
  { what: 'a damaged list', body: `${JSON.stringify(events(300)).slice(0, -10)}}`, status: 400 },
  {
    what: 'what is not UTF-8',
    body: Buffer.concat([Buffer.from(JSON.stringify(events(300))), Buffer.from([0xff])]),
    status: 400,
  },
  { what: 'no list and no event', body: JSON.stringify('x'.repeat(70_000)), status: 400 },
  { what: 'another type', body: JSON.stringify(events(300)), type: 'text/csv', status: 415 },
  { what: 'too many events', body: lines(Array(10_001).fill({ a: 1 })), type: NDJSON, status: 413 },
  { what: 'a bad name of an import', body: events(300), headers: { 'farthing-import': ' ' }, status: 400 },
]

describe('a large delivery', () => {
  test.each(BODIES)('$what is answered as without threads', async ({ body, type, headers, status }) => {
    const init = { ...(type ? { type } : {}), ...(headers ? { headers } : {}) }
    const before = threads.taken
    const answers = [await threaded.send(body, init), await plain.send(body, init)]
    const [own, other] = answers.map(({ status: told, json }) => ({ told, ...json, requestId: 'any' }))
    expect(own).toEqual(other)
    expect(own!.told).toBe(status)
    // What is refused by its headers alone goes to no thread.
    expect(threads.taken - before).toBe(headers?.['farthing-import'] ? 0 : 1)
  })

  test('of a key that is bound to an account stores its own usage only', async () => {
    const key = await threaded.key(['usage:write'], 'acme')
    const body = [...events(300), ...events(2, { subject: 'zeta' })]
    const { json } = await threaded.send(body, { key })
    expect(json).toMatchObject({ accepted: 300, rejected: 2 })
    expect(json.problems[0]).toMatchObject({ index: 300, code: 'event/foreign_account' })
  })

  test('that is sent many times at once, to both threads and in small parts, is stored once', async () => {
    const list = events(1_000, { subject: 'many' })
    const parts = Array.from({ length: 20 }, (_, part) => list.slice(50 * part, 50 * part + 50))
    const bodies = [list, ...parts.slice(0, 10), list.toReversed(), ...parts.slice(10), list, list]
    const answers = await Promise.all(bodies.map((body) => threaded.send(body)))
    expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 200))
    const sum = (name: string) => answers.reduce((total, { json }) => total + (json[name] as number), 0)
    expect([sum('accepted'), sum('duplicates'), sum('conflicts')]).toEqual([1_000, 4_000, 0])
    const { rows } = await threaded.database.pool.query<{ count: number }>(
      `select count(*)::int as count from usage_event where account = 'many'`,
    )
    expect(rows[0]!.count).toBe(1_000)
  })

  test('is stored by sessions that carry the name of their process: a stopped one loses them all', async () => {
    await threaded.send(events(300))
    const { rows } = await threaded.database.pool.query<{ process: string }>(
      `select distinct split_part(application_name, ' ', 2) as process from pg_stat_activity
        where datname = current_database()`,
    )
    expect(rows).toHaveLength(1)
  })

  test('whose memory holds something else leaves that where it is', async () => {
    const text = JSON.stringify(events(300, { subject: 'within' }))
    const memory = Buffer.from(`before${text}after`)
    const body = memory.subarray(6, memory.length - 5)
    const taken = await threads.take(delivery(body))
    expect(taken?.counts?.accepted).toBe(300)
    expect(memory.toString()).toBe(`before${text}after`)
  })

  test('is counted in the metrics', async () => {
    const accepted = async () => {
      const { text } = await threaded.ask('/metrics')
      return Number(/farthing_events_total\{outcome="accepted"\} (\d+)/.exec(text)![1])
    }
    const before = await accepted()
    await threaded.send(events(500))
    expect((await accepted()) - before).toBe(500)
  })

  test('whose session is ended is asked to be sent again, is logged, and is stored once then', async () => {
    const list = events(2_000, { subject: 'ended' })
    const { pool } = threaded.database
    const blocker = await pool.connect()
    await blocker.query('begin; lock table usage_event in exclusive mode')
    const answer = threaded.send(list)
    for (let ended = 0; ended === 0;) {
      const { rowCount } = await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query ~ 'select insert_events'`,
      )
      ended = rowCount!
    }
    expect((await answer).json).toMatchObject({ status: 503, code: 'ingest/unavailable' })
    await blocker.query('rollback')
    blocker.release()
    expect(threaded.logged).toContainEqual({
      level: 'error',
      fields: {
        err: expect.objectContaining({ code: '57P01', message: expect.any(String) as string }) as object,
      },
      text: expect.stringMatching(
        /^A group of events was not stored: its senders are asked to send it again\. The database/,
      ) as string,
    })
    expect((await threaded.send(list)).json).toMatchObject({ accepted: 2_000 })
  })
})
