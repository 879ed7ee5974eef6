import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, testServer, type TestServer } from './http-server.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

interface Entry {
  readonly number: number
  readonly at: string
  readonly actor: string
  readonly act: string
  readonly account: string | null
  readonly detail: string
}

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

function send(path: string, method: string, body?: object): Promise<Answer> {
  return server.ask(path, { method, ...(body && { body: JSON.stringify(body) }) })
}

async function log(query = ''): Promise<readonly Entry[]> {
  const { status, json } = await server.ask(`/v1/audit-log${query}`)
  if (status !== 200) throw new Error(JSON.stringify(json))
  return json.items
}

describe('the audit log', () => {
  let admin: string

  test('begins with the key of the first start', async () => {
    const [first] = (await log()).toReversed()
    admin = (await server.ask('/v1/keys')).json.items[0].id
    const detail = `${admin} (admin (first start)): admin`
    expect(first).toMatchObject({
      actor: expect.stringMatching(/^cli:./),
      act: 'key/make',
      account: null,
      detail,
    })
  })

  test('has keys that are made and revoked, once each, and never the keys themselves', async () => {
    const made = await send('/v1/keys', 'POST', {
      name: 'collector',
      scopes: ['usage:write'],
      account: 'acme',
      expiresAt: '2030-01-01T00:00:00Z',
    })
    const { id, key } = made.json
    for (let time = 0; time < 2; time++) await send(`/v1/keys/${id}`, 'DELETE')
    const entries = await log('?account=acme')
    const of = { actor: admin, account: 'acme' }
    expect(entries).toMatchObject([
      { ...of, act: 'key/revoke', detail: `${id} (collector)` },
      { ...of, act: 'key/make', detail: `${id} (collector): usage:write, until 2030-01-01T00:00:00.000Z` },
    ])
    expect(JSON.stringify(entries)).not.toContain(key.slice(4, 20))
  })

  test('has what was changed about an account, and nothing of what was refused', async () => {
    await send('/v1/accounts/a%2Fb', 'PUT', { name: 'A "B"', timeZone: 'Asia/Tokyo' })
    await send('/v1/accounts/a%2Fb', 'PUT', { tags: { tier: 'gold' }, closed: '2025-07-28T03:00:00Z' })
    await send('/v1/accounts/a%2Fb', 'PUT', { closed: null })
    await send('/v1/accounts/a%2Fb', 'PUT', {})
    await send('/v1/accounts/a%2Fb', 'PUT', { timeZone: 'Nowhere' })
    await send('/v1/accounts/a%2Fb', 'PUT', { closed: '2999-01-01T00:00:00Z' })
    const entries = await log('?account=a%2Fb')
    expect(entries.map(({ detail }) => detail).toReversed()).toEqual([
      'made known; name "A \\"B\\"" (was none); time zone Asia/Tokyo (was UTC)',
      'tags {"tier":"gold"} (was {}); closed 2025-07-28T03:00:00.000Z (was no)',
      'closed no (was 2025-07-28T03:00:00.000Z)',
      'nothing changed',
    ])
    expect(entries.every(({ actor, act }) => actor === admin && act === 'account/put')).toBe(true)
  })

  test('an act that is rolled back leaves no entry', async () => {
    const before = await log()
    await server.database.pool.query('alter table account_profile add constraint no check (false) not valid')
    expect((await send('/v1/accounts/failed', 'PUT', { name: 'x' })).status).toBe(500)
    await server.database.pool.query('alter table account_profile drop constraint no')
    expect(await log()).toEqual(before)
  })

  test('can be filtered, and read page by page, newest first', async () => {
    const all = await log('?limit=1000')
    expect(all.map(({ number }) => number)).toEqual(all.map(({ number }) => number).toSorted((a, b) => b - a))
    expect(await log('?act=key/revoke')).toEqual(all.filter(({ act }) => act === 'key/revoke'))
    expect(await log(`?actor=${admin}&act=key/make`)).toEqual(
      all.filter(({ act, actor }) => act === 'key/make' && actor === admin),
    )
    const from = all[2]!.at
    const to = all[0]!.at
    const within = all.filter(({ at }) => at >= from && at < to)
    expect(await log(`?from=${from}&to=${to}`)).toEqual(within)
    const paged: Entry[] = []
    let cursor = ''
    do {
      const { json } = await server.ask(`/v1/audit-log?limit=2${cursor && `&cursor=${cursor}`}`)
      paged.push(...json.items)
      cursor = json.next
    } while (cursor !== null)
    expect(paged).toEqual(all)
  })

  test('is for admins alone', async () => {
    const key = await server.key(['usage:read', 'usage:write', 'bills:read', 'prices:write'])
    expect((await server.ask('/v1/audit-log', { key })).json.code).toBe('auth/missing_scope')
    expect((await server.ask('/v1/audit-log?from=never')).json.code).toBe('request/invalid_parameter')
  })
})

describe('on the command line', () => {
  let running: ServerProcess
  beforeAll(async () => {
    running = await serverProcess({ FARTHING_ACCOUNTS: 'known' })
  })
  afterAll(() => running.close())

  const entries = async (...options: readonly string[]) => {
    const text = await running.good('audit', '--json', ...options)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Entry)
  }

  test('accounts are described, closed, opened and listed', async () => {
    const name = [
      '--name',
      'Acme Ltd.',
      '--time-zone',
      'Europe/Paris',
      '--tag',
      'tier=gold',
      '--tag',
      'a=b=c',
    ]
    expect(await running.good('accounts', 'set', 'acme/é', ...name)).toMatch(
      /acme\/é +Acme Ltd\. +Europe\/Paris +a=b=c tier=gold/,
    )
    const closed = await running.good('accounts', 'set', 'acme/é', '--close', '2025-07-28T03Z', '--json')
    expect(JSON.parse(closed)).toMatchObject({ name: 'Acme Ltd.', closed: '2025-07-28T03:00:00.000Z' })
    expect(await running.good('accounts', 'list')).toMatch(
      /acme\/é +Acme Ltd\. +Europe\/Paris +2025-07-28 03:00/,
    )
    await running.good('accounts', 'set', 'acme/é', '--open', '--name', '')
    const [listed] = (await running.good('accounts', 'list', '--json')).split('\n')
    expect(JSON.parse(listed!)).toMatchObject({ account: 'acme/é', name: null, closed: null })
    expect(await entries('--act', 'account/put')).toHaveLength(3)
    expect(await running.good('accounts', 'set', 'now', '--close', 'now')).toMatch(/now .* 20\d\d-/)
  })

  const wrong = async (...args: readonly string[]) => {
    const { code, stderr } = await running.run(['accounts', 'set', 'x', ...args])
    return [code, stderr.replace('farthing: compiling…\n', '')]
  }

  test('what is wrong is said', async () => {
    expect(await wrong('--tag', 'gold')).toEqual([2, 'farthing: --tag is gold: write it as name=value.\n'])
    expect((await wrong('--open', '--close', 'now'))[0]).toBe(2)
    expect(await wrong('--time-zone', 'Europa/Paris')).toEqual([
      1,
      'farthing: timeZone is "Europa/Paris": did you mean Europe/Paris? (account/unknown_time_zone)\n',
    ])
  })

  test('settle --now is noted with the user who ordered it; settle without it is not', async () => {
    await running.good('settle')
    expect(await entries('--act', 'settle/now')).toEqual([])
    await running.good('settle', '--now')
    const [entry, ...others] = await entries('--act', 'settle/now')
    expect([entry, others]).toMatchObject([{ actor: expect.stringMatching(/^cli:./), account: null }, []])
    expect(await running.good('audit', '--act', 'settle/now')).toMatch(/By .*\n.* cli:\S+ +settle\/now/)
  })

  test('FARTHING_ACCOUNTS=known is in force', async () => {
    const event = {
      specversion: '1.0',
      id: '1',
      source: 's',
      type: 'farthing.request',
      subject: 'stranger',
      time: '2025-07-28T03:00:00Z',
      data: { operation: 'SimpleQuery', status: 200 },
    }
    const { code, stdout, stderr } = await running.run(['import', '-', '--no-wait'], {
      input: JSON.stringify(event),
    })
    expect([code, stdout + stderr]).toEqual([3, expect.stringContaining('subject is no known account')])
  })
})
