import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isKeyText, newKeyText } from '../../src/flows/keys/key-text.ts'
import { KEYS_CACHED_MAX, makeKeyRing } from '../../src/flows/keys/find-key.ts'
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
})
