import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { newKeyText } from '../../src/flows/keys/key-text.ts'
import { QUESTIONS_WAITING_MAX } from '../../src/http/limits/question-gate.ts'
import { STRANGERS_MAX } from '../../src/http/limits/strangers.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

/** One key's questions beside everybody else. Questions are held up by a lock on what they read, for as long as a test needs. */

let server: TestServer
let bound: string
let other: string
beforeAll(async () => {
  server = await testServer({ shares: { questionsMax: 3, dryRunsMax: 2 }, readingSessions: 6 })
  bound = await server.key(['usage:read', 'usage:write'], 'acme')
  other = await server.key(['usage:read', 'usage:write'], 'other')
  // Its table is there, and so are both keys.
  for (const key of [bound, other]) await server.ask('/v1/price-book', { key })
  await server.send([requestEvent('first'), requestEvent('first', { subject: 'other' })])
})
afterAll(() => server.close())

const releases: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const release of releases.splice(0)) await release()
  while ((await answering()) > 0) await sleep(20)
})

/** Hold up everything that reads a table. @returns a function that lets it go on */
async function holdUp(table: string): Promise<() => Promise<unknown>> {
  const client = await server.database.pool.connect()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  let released: Promise<unknown> | undefined
  const release = () => (released ??= client.query('rollback').finally(() => client.release()))
  releases.push(release)
  return release
}

/** Statements of questions that PostgreSQL works on. */
async function answering(): Promise<number> {
  const { rows } = await server.database.pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and application_name like 'farthing-read %' and state = 'active'`,
  )
  return rows[0]!.count
}

/** Statements that look up keys and wait. */
async function lookups(): Promise<number> {
  const { rows } = await server.database.pool.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%api_key%'`,
  )
  return rows[0]!.count
}

const USAGE = '/v1/usage?from=2026-01&to=2026-02'

function askAll(count: number, key: string, path = USAGE, signal?: AbortSignal): Promise<Answer>[] {
  return Array.from({ length: count }, () => server.ask(path, { key, ...(signal ? { signal } : {}) }))
}

describe('questions of one key', () => {
  test('are answered three at once, twenty wait, and one more is refused; nobody else notices', async () => {
    const release = await holdUp('bill_line')
    const asked = askAll(3 + QUESTIONS_WAITING_MAX, bound)
    await expect.poll(answering).toBe(3)
    await sleep(200)
    const [refused] = await Promise.all(askAll(1, bound))
    expect(refused).toMatchObject({ status: 429, json: { code: 'request/too_many_questions' } })
    expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await answering()).toBe(3)
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect([path, (await server.ask(path)).status]).toEqual([path, 200])
    }
    expect((await server.ask('/v1/storage', { key: other })).status).toBe(200)
    const fresh = await server.key(['usage:write'], 'other')
    expect(
      (await server.send(requestEvent('beside', { subject: 'other' }), { key: fresh })).json.accepted,
    ).toBe(1)
    await release()
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200))
  })

  test('of a key without an account are half of the sessions, whatever they ask', async () => {
    const release = await holdUp('bill_line')
    const paths = [USAGE, '/v1/meters', '/api/v1/meters/StandardQueryL0/query', USAGE, USAGE]
    const asked = paths.map((path) => server.ask(path, { key: server.adminKey }))
    await expect.poll(answering).toBe(3)
    await sleep(200)
    expect(await answering()).toBe(3)
    await release()
    await Promise.all(asked)
  })

  test('that ask by POST, as OpenMeter clients do, count as others do', async () => {
    const release = await holdUp('bill_line')
    const body = JSON.stringify({ subject: ['acme'] })
    const asked = Array.from({ length: 5 }, () =>
      server.ask('/api/v1/meters/StandardQueryL0/query', {
        key: bound,
        method: 'POST',
        type: 'application/json',
        body,
      }),
    )
    await expect.poll(answering).toBe(3)
    await sleep(200)
    expect(await answering()).toBe(3)
    await release()
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  })

  test('that waited for ten seconds are refused', async () => {
    const release = await holdUp('bill_line')
    const asked = askAll(4, bound)
    const began = performance.now()
    const first = await Promise.race(asked)
    expect(first).toMatchObject({ status: 429, json: { code: 'request/too_many_questions' } })
    expect(performance.now() - began).toBeGreaterThan(9_500)
    await release()
    expect((await Promise.all(asked)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 429,
    ])
  })

  test('dry runs are two at once, and have a number of their own', async () => {
    const release = await holdUp('usage_event')
    const asked = Array.from({ length: 4 }, (_, n) =>
      server.send(requestEvent(`try ${n}`), { key: bound }, '?dryRun=true'),
    )
    await expect.poll(answering).toBe(2)
    await sleep(200)
    expect(await answering()).toBe(2)
    expect((await server.ask('/v1/price-book', { key: bound })).status).toBe(200)
    await release()
    expect((await Promise.all(asked)).map(({ json }) => json.accepted)).toEqual([1, 1, 1, 1])
  })
})

describe('a client that has gone', () => {
  test('ends its questions: their statements are cancelled, and those that waited never begin', async () => {
    await holdUp('bill_line')
    const gone = new AbortController()
    const asked = Promise.allSettled(askAll(10, bound, USAGE, gone.signal))
    await expect.poll(answering).toBe(3)
    gone.abort()
    await asked
    await expect.poll(answering, { timeout: 3_000 }).toBe(0)
    // The key has its turns again.
    const again = askAll(3, bound)
    await expect.poll(answering).toBe(3)
    for (const release of releases) await release()
    expect((await Promise.all(again)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.logged.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('ends its dry run', async () => {
    await holdUp('usage_event')
    const gone = new AbortController()
    const asked = server.send(requestEvent('gone'), { key: bound, signal: gone.signal }, '?dryRun=true')
    await expect.poll(answering).toBe(1)
    gone.abort()
    await asked.catch(() => undefined)
    await expect.poll(answering, { timeout: 3_000 }).toBe(0)
  })
})

test('a key has so many questions a second, and headers say how many are left; events have no such limit', async () => {
  const limited = await testServer({ shares: { questionsPerSecond: 5 } })
  try {
    const key = await limited.key(['usage:read', 'usage:write'], 'acme')
    const answers = await Promise.all(Array.from({ length: 8 }, () => limited.ask('/v1/price-book', { key })))
    const [taken, refused] = [200, 429].map((status) => answers.filter((answer) => answer.status === status))
    expect([taken!.length >= 5 && taken!.length <= 6, refused!.length >= 2]).toEqual([true, true])
    expect(refused![0]).toMatchObject({ json: { code: 'request/too_frequent' } })
    expect(Object.fromEntries(refused![0]!.headers)).toMatchObject({
      'retry-after': '1',
      'ratelimit-limit': '5',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '1',
    })
    expect(taken![0]!.headers.get('ratelimit-remaining')).toBe('4')
    expect((await limited.ask('/v1/price-book')).status).toBe(200)
    for (let n = 0; n < 20; n++) {
      expect((await limited.send(requestEvent(`e${n}`), { key })).status).toBe(200)
    }
  } finally {
    await limited.close()
  }
})

describe('keys that are not valid', () => {
  const wrong = (one: TestServer, init: { key?: string; headers?: Record<string, string> } = {}) =>
    one.ask('/v1/bills', { key: newKeyText(), ...init })

  test('are looked up so often for an address; keys in use go on, and repeats and typing mistakes cost nothing', async () => {
    const limited = await testServer({ shares: { failedKeysPerMinute: 3 } })
    try {
      const key = newKeyText()
      expect((await limited.ask('/v1/price-book')).status).toBe(200)
      for (let n = 0; n < 10; n++) expect((await wrong(limited, { key })).json.code).toBe('auth/unknown_key')
      for (let n = 0; n < 10; n++)
        expect((await wrong(limited, { key: `${key}x` })).json.code).toBe('auth/malformed_key')
      expect([(await wrong(limited)).status, (await wrong(limited)).status]).toEqual([401, 401])
      const refused = await wrong(limited)
      expect(refused).toMatchObject({ status: 429, json: { code: 'auth/too_many_unknown_keys' } })
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(10)
      expect(refused.headers.get('ratelimit-limit')).toBe('3')
      expect((await limited.ask('/v1/price-book')).status).toBe(200)
      // Nobody chooses an address by a header.
      expect((await wrong(limited, { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(429)
    } finally {
      await limited.close()
    }
  })

  test('are looked up twenty at once, of all addresses; the next is refused at once, and keys in use go on', async () => {
    const fresh = await server.key(['usage:read'], 'acme')
    const release = await holdUp('api_key')
    const asked = Array.from({ length: STRANGERS_MAX }, () => wrong(server))
    await expect.poll(lookups).toBeGreaterThan(0)
    await sleep(200)
    const began = performance.now()
    const more = [...Array.from({ length: 9 }, () => newKeyText()), fresh]
    const refused = await Promise.all(more.map((key) => wrong(server, { key })))
    expect(performance.now() - began).toBeLessThan(2_000)
    for (const { status, json, headers } of refused) {
      expect([status, json.code, headers.get('retry-after')]).toEqual([
        429,
        'auth/too_many_unknown_keys',
        '1',
      ])
    }
    expect((await server.ask('/v1/price-book', { key: bound })).status).toBe(200)
    await release()
    expect((await Promise.all(asked)).map(({ json }) => json.code)).toEqual(
      asked.map(() => 'auth/unknown_key'),
    )
    // Each has given its place back, and a key that is valid was refused for no longer.
    const again = await Promise.all(Array.from({ length: STRANGERS_MAX }, () => wrong(server)))
    expect(again.map(({ status }) => status)).toEqual(again.map(() => 401))
    expect((await server.ask('/v1/price-book', { key: fresh })).status).toBe(200)
  })

  test('are counted by the address that a trusted proxy names, and IPv6 by its network', async () => {
    const limited = await testServer({
      shares: { failedKeysPerMinute: 1, trustedProxies: ['127.0.0.0/8', '10.0.0.1'] },
    })
    try {
      const from = async (header: string) =>
        (await wrong(limited, { headers: { 'x-forwarded-for': header } })).status
      expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([
        401, 429, 401,
      ])
      // The client wrote the first; the proxies that are trusted added the others.
      expect(await from('203.0.113.9, 192.0.2.2, 10.0.0.1')).toBe(429)
      expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:0:1::2')]).toEqual([
        401, 429, 401,
      ])
    } finally {
      await limited.close()
    }
  })
})
