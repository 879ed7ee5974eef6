import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isKeyText, newKeyText } from '../../src/flows/keys/key-text.ts'
import {
  KEY_AGAIN_MS,
  KEY_AWAY_MS,
  KEY_CACHE_MS,
  KEY_PATIENCE_MS,
  KEY_REFRESH_MS,
  KEYS_CACHED_MAX,
  makeKeyRing,
} from '../../src/flows/keys/find-key.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { removeKey } from '../../src/flows/keys/keys.ts'
import { makeKey } from '../../src/flows/keys/make-key.ts'
import { rescueKey } from '../../src/flows/keys/rescue-key.ts'
import { transaction } from '../../src/store/transaction.ts'
import { type Answer, testServer, type TestServer } from './http-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

function post(body: unknown, key = server.adminKey): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return server.ask('/v1/keys', { method: 'POST', body: text, key })
}

describe('making a key', () => {
  test('shows it this once; only its SHA-256 is stored', async () => {
    const made = await post({ name: 'collector', scopes: ['usage:write'], account: 'acme' })
    expect(made.status).toBe(201)
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { key, ...shown } = made.json
    expect(isKeyText(key)).toBe(true)
    expect(shown).toMatchObject({
      name: 'collector',
      scopes: ['usage:write'],
      account: 'acme',
      expiresAt: null,
    })
    const { json } = await server.ask('/v1/keys?limit=1000')
    expect(json.items.find(({ id }: { id: string }) => id === shown.id)).toEqual(shown)
    expect(JSON.stringify(json)).not.toContain(key.slice(4, 20))
    const { rows } = await server.database.pool.query('select row_to_json(api_key)::text as row from api_key')
    expect(JSON.stringify(rows)).not.toContain(key.slice(4, 20))
  })

  test('a key never makes what it may not do itself: only admin keys make keys', async () => {
    const key = await server.key(['usage:read', 'usage:write', 'bills:read', 'prices:write'])
    expect((await post({ name: 'x', scopes: ['admin'] }, key)).status).toBe(403)
  })

  const BAD: Readonly<Record<string, readonly [body: unknown, code: string, says: RegExp]>> = {
    'no JSON': ['{"name"', 'request/malformed_json', /position 7/],
    nothing: ['', 'request/malformed_json', /position 0/],
    'a list': [[], 'request/invalid_body', /send \{"name"/],
    'no scopes': [{ name: 'x' }, 'request/invalid_body', /scopes/],
    'no scope in them': [{ name: 'x', scopes: [] }, 'request/invalid_body', /scopes/],
    'an unknown scope': [{ name: 'x', scopes: ['root'] }, 'request/invalid_body', /scopes\.0/],
    'an unknown member': [{ name: 'x', scopes: ['admin'], acount: 'a' }, 'request/invalid_body', /acount/],
    'a name that is none': [{ name: ' ', scopes: ['admin'] }, 'key/invalid_name', /name/],
    'a name of 300 bytes': [{ name: 'é'.repeat(150), scopes: ['admin'] }, 'key/invalid_name', /255 bytes/],
    'U+0000 in the name': [{ name: 'a\0', scopes: ['admin'] }, 'key/invalid_name', /name/],
    'an account of 300 bytes': [
      { name: 'x', scopes: ['usage:read'], account: 'a'.repeat(300) },
      'key/invalid_account',
      /255/,
    ],
    'an empty account': [
      { name: 'x', scopes: ['usage:read'], account: '' },
      'key/invalid_account',
      /account/,
    ],
    'an admin of one account': [
      { name: 'x', scopes: ['admin'], account: 'a' },
      'key/scope_not_bindable',
      /admin/,
    ],
    'an end in the past': [
      { name: 'x', scopes: ['admin'], expiresAt: '2020-01-01T00:00:00Z' },
      'key/expired',
      /later/,
    ],
    'an end that is no time': [
      { name: 'x', scopes: ['admin'], expiresAt: 'soon' },
      'request/invalid_body',
      /expiresAt/,
    ],
  }
  for (const [name, [body, code, says]] of Object.entries(BAD)) {
    test(`is refused for ${name}`, async () => {
      const answer = await post(body)
      expect([answer.status, answer.json.code]).toEqual([400, code])
      expect(answer.json.detail).toMatch(says)
    })
  }
})

test('a description of more than 64 KiB is refused', async () => {
  const answer = await post(' '.repeat(65_537))
  expect([answer.status, answer.json.code]).toEqual([413, 'request/too_large'])
})

describe('revoking a key', () => {
  test('ends it at once, can be repeated, and is shown', async () => {
    const { json } = await post({ name: 'short', scopes: ['bills:read'] })
    expect((await server.ask('/v1/bills', { key: json.key })).status).toBe(200)
    for (const _ of [1, 2]) {
      expect((await server.ask(`/v1/keys/${json.id}`, { method: 'DELETE' })).status).toBe(204)
    }
    expect((await server.ask('/v1/bills', { key: json.key })).status).toBe(401)
    const { items } = (await server.ask('/v1/keys?limit=1000')).json
    expect(items.find(({ id }: { id: string }) => id === json.id).revokedAt).toMatch(/Z$/)
  })

  test('of an id that there is not is 404', async () => {
    const answer = await server.ask('/v1/keys/key_nothing', { method: 'DELETE' })
    expect([answer.status, answer.json.code]).toEqual([404, 'key/not_found'])
  })

  test('never ends the last admin key: another one must be there first', async () => {
    const { items } = (await server.ask('/v1/keys?limit=1000')).json
    const first = items.find(({ name }: { name: string }) => name === 'admin (first start)')
    const expiring = {
      name: 'for a day',
      scopes: ['admin'],
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    }
    await post(expiring)
    const refused = await server.ask(`/v1/keys/${first.id}`, { method: 'DELETE' })
    expect([refused.status, refused.json.code]).toEqual([409, 'key/last_admin'])
    const { json } = await post({ name: 'second', scopes: ['admin'] })
    expect((await server.ask(`/v1/keys/${first.id}`, { method: 'DELETE', key: json.key })).status).toBe(204)
    expect((await server.ask('/v1/keys')).status).toBe(401)
    expect((await server.ask('/v1/keys', { key: json.key })).status).toBe(200)
  })
})

describe('the memory of keys', () => {
  test('asks once for a key, remembers those that are none, and is bounded', async () => {
    let asked = 0
    let clock = 0
    const sql = {
      query: async () => {
        asked++
        return { rows: [] as unknown[] }
      },
    }
    const ring = makeKeyRing(sql, () => clock)
    const text = newKeyText()
    await Promise.all([ring.find(text), ring.find(text)])
    await ring.find(text)
    expect(asked).toBe(1)
    clock += 5_000
    await ring.find(text)
    expect(asked).toBe(2)
    for (let index = 0; index <= KEYS_CACHED_MAX; index++) await ring.find(`frt_${index}`)
    await ring.find(text)
    expect(asked).toBe(2 + KEYS_CACHED_MAX + 1 + 1)
  })

  test('does not remember that the database was away', async () => {
    let asked = 0
    const sql = {
      query: async () => {
        asked++
        throw new Error('away')
      },
    }
    const ring = makeKeyRing(sql)
    await expect(ring.find('frt_x')).rejects.toThrow('away')
    await expect(ring.find('frt_x')).rejects.toThrow('away')
    expect(asked).toBe(2)
  })

  /** A database that says what `state.key` is, after a while or never. */
  function ringOn(state: { key: object | undefined; answers: 'at once' | 'never' | 'fails' }) {
    const clock = { ms: 1_000_000, asked: 0 }
    const sql = {
      query: async () => {
        clock.asked++
        if (state.answers === 'fails') throw new Error('away')
        if (state.answers === 'never') await new Promise(() => undefined)
        return { rows: state.key ? [state.key] : [] }
      },
    }
    return { clock, ring: makeKeyRing(sql, () => clock.ms) }
  }
  const KEY = { id: 'k', scopes: ['admin'], account: null, expires_in_ms: null }

  test('a key in use is asked for again beside its use, and no request waits', async () => {
    const state = { key: KEY as object | undefined, answers: 'at once' as const }
    const { clock, ring } = ringOn(state)
    await ring.find('a')
    clock.ms += KEY_REFRESH_MS - 1
    expect([ring.find('a'), clock.asked]).toMatchObject([{ id: 'k' }, 1])
    clock.ms += 1
    expect([ring.find('a'), ring.find('a'), clock.asked]).toMatchObject([{ id: 'k' }, { id: 'k' }, 2])
    await new Promise(setImmediate)
    clock.ms += KEY_REFRESH_MS - 1
    expect([ring.find('a'), clock.asked]).toMatchObject([{ id: 'k' }, 2])
  })

  test('a revoked key is used for at most 5 s, whether it is in use or not', async () => {
    for (const steps of [
      [KEY_CACHE_MS],
      [KEY_REFRESH_MS, KEY_REFRESH_MS],
      [1_000, 4_000],
      [KEY_AWAY_MS - 1],
      [KEY_AWAY_MS * 9],
    ]) {
      const state = { key: KEY as object | undefined, answers: 'at once' as const }
      const { clock, ring } = ringOn(state)
      await ring.find('a')
      state.key = undefined
      for (const ms of steps.slice(0, -1)) {
        clock.ms += ms
        await ring.find('a')
        await new Promise(setImmediate)
      }
      clock.ms += steps.at(-1)!
      expect([steps, await ring.find('a')]).toEqual([steps, undefined])
    }
  })

  test.each(['never', 'fails'] as const)(
    'known keys go on for a minute when the database answers: %s',
    async (answers) => {
      const state = { key: KEY, answers: 'at once' as 'at once' | 'never' | 'fails' }
      const { clock, ring } = ringOn(state)
      await ring.find('a')
      state.answers = answers
      clock.ms += KEY_CACHE_MS
      const began = performance.now()
      expect(await ring.find('a')).toMatchObject({ id: 'k' })
      expect(performance.now() - began).toBeLessThan(KEY_PATIENCE_MS + 400)
      // The next ones do not wait.
      for (let n = 0; n < 100; n++) expect(ring.find('a')).toMatchObject({ id: 'k' })
      clock.ms += KEY_AGAIN_MS
      expect(await ring.find('a')).toMatchObject({ id: 'k' })
      clock.ms = 1_000_000 + KEY_AWAY_MS - 1
      expect(await ring.find('a')).toMatchObject({ id: 'k' })
      clock.ms += 1
      const late = ring.find('a')
      expect(late).toBeInstanceOf(Promise)
      if (answers === 'fails') await expect(late).rejects.toThrow('away')
    },
  )

  test('a key that expires ends on time, also while the database is away', async () => {
    const state = { key: { ...KEY, expires_in_ms: 7_000 }, answers: 'at once' as 'at once' | 'fails' }
    const { clock, ring } = ringOn(state)
    await ring.find('a')
    state.answers = 'fails'
    clock.ms += 6_999
    expect(await ring.find('a')).toMatchObject({ id: 'k' })
    clock.ms += 1
    await expect(ring.find('a')).rejects.toThrow('away')
  })

  test('what was forgotten while it was asked for is not remembered', async () => {
    const state = { key: KEY, answers: 'at once' as const }
    const { clock, ring } = ringOn(state)
    const asked = ring.find('a')
    ring.forget()
    expect(await asked).toMatchObject({ id: 'k' })
    await ring.find('a')
    expect(clock.asked).toBe(2)
  })

  test('strangers are told of before they are looked up, and known keys are not pushed out by them', async () => {
    const { ring } = ringOn({ key: KEY, answers: 'at once' })
    await ring.find('a')
    const seen: string[] = []
    expect(ring.find('a', () => seen.push('a'))).toMatchObject({ id: 'k' })
    expect(() =>
      ring.find('b', () => {
        throw new Error('no')
      }),
    ).toThrow('no')
    const asked = ring.find('b', () => seen.push('b'))
    expect([ring.strangers, await asked, ring.strangers, seen]).toMatchObject([1, { id: 'k' }, 0, ['b']])
    const other = ringOn({ key: undefined, answers: 'at once' })
    for (let n = 0; n < KEYS_CACHED_MAX + 10; n++) await other.ring.find(`x${n}`)
    expect(ring.find('a')).toMatchObject({ id: 'k' })
  })
})

describe('at the same moment', () => {
  const ROUNDS = 25

  test('admins who revoke each other leave one key', async () => {
    const fresh = await testServer()
    const { pool } = fresh.database
    const admins = `select id from api_key where 'admin' = any (scopes) and revoked_at is null order by id`
    for (let round = 0; round < ROUNDS; round++) {
      const now = Date.now() as Instant
      const request = { name: 'admin', scopes: ['admin'], account: null, expiresAt: null } as const
      await Promise.all([1, 2].map(() => transaction(pool, (sql) => makeKey(sql, request, now))))
      const { rows } = await pool.query<{ id: string }>(admins)
      const removed = await Promise.all(rows.map(({ id }) => removeKey(pool, id, 'cli:test')))
      expect(removed.filter(({ ok }) => !ok)).toMatchObject([{ code: 'key/last_admin' }])
      expect((await pool.query(admins)).rows).toHaveLength(1)
    }
    await fresh.close()
  })

  test('a rescued key is an admin key on disk, and in the audit log', async () => {
    const fresh = await testServer()
    const dataDir = mkdtempSync(join(tmpdir(), 'farthing-rescue-'))
    const { pool } = fresh.database
    await pool.query('update api_key set revoked_at = clock_timestamp()')
    const { id, key, path } = await rescueKey(pool, dataDir)
    expect(readFileSync(path, 'utf8').trim()).toBe(key)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await fresh.ask('/v1/keys', { key })).status).toBe(200)
    const { rows } = await pool.query(`select actor, detail from audit_entry where act = 'key/rescue'`)
    expect(rows).toEqual([
      {
        actor: expect.stringMatching(/^cli:/),
        detail: `${id}: an admin key made with access to the database`,
      },
    ])
    await fresh.close()
    rmSync(dataDir, { recursive: true })
  })
})
