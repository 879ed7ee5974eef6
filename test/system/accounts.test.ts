import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { KNOWN_ACCOUNTS_KEPT, makeAccountMemory } from '../../src/flows/accounts/account-rules.ts'
import {
  ACCOUNT_NAME_BYTES_MAX,
  TAG_NAME_BYTES_MAX,
  TAG_VALUE_BYTES_MAX,
  TAGS_MAX,
} from '../../src/flows/accounts/refuse-account.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { differences } from '../simulation/drive.ts'
import { quiet } from './deployment.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

function pathOf(account: string): string {
  return `/v1/accounts/${encodeURIComponent(account)}`
}

function put(account: string, body: unknown, key = server.adminKey): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return server.ask(pathOf(account), { method: 'PUT', body: text, key, type: 'application/json' })
}

function long(bytes: number): string {
  return 'é'.repeat(bytes / 2 + 1)
}

function tags(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, '']))
}

function raw(id: string, subject: string) {
  return { raw: requestEvent(id, { subject }) as Json }
}

describe('an account', () => {
  test('is made known, described, and shown', async () => {
    const made = await put('acme', { name: 'Acme Ltd.', timeZone: 'Europe/Paris', tags: { tier: 'gold' } })
    expect(made.status).toBe(201)
    expect(made.json).toMatchObject({
      account: 'acme',
      name: 'Acme Ltd.',
      timeZone: 'Europe/Paris',
      timeZones: [{ fromMonth: expect.stringMatching(/^\d{4}-\d{2}$/), timeZone: 'Europe/Paris' }],
      tags: { tier: 'gold' },
      closed: null,
    })
    expect((await server.ask(pathOf('acme'))).json).toEqual(made.json)
    // What follows from its price lists is shown where one account is.
    const { waitingTiers, minimum, ...listed } = made.json as Record<string, unknown>
    expect([waitingTiers, minimum]).toEqual([[], null])
    expect((await server.ask('/v1/accounts')).json.items).toContainEqual(listed)
  })

  test('keeps what is left out, and loses what is null', async () => {
    await put('partly', {
      name: 'A',
      timeZone: 'Asia/Tokyo',
      tags: { a: '1' },
      closed: '2025-07-28T03:00:00Z',
    })
    const renamed = await put('partly', { name: 'B' })
    expect([renamed.status, renamed.json]).toMatchObject([
      200,
      { name: 'B', timeZone: 'Asia/Tokyo', tags: { a: '1' }, closed: '2025-07-28T03:00:00.000Z' },
    ])
    const bare = await put('partly', { name: null, timeZone: null, tags: null, closed: null })
    expect(bare.json).toMatchObject({ name: null, timeZone: 'UTC', timeZones: [], tags: {}, closed: null })
  })

  const NAMES = [
    'a/b',
    'a b',
    'ä/ö?#&=%',
    '日本/東京',
    '🎞',
    'x'.repeat(255),
    'ü'.repeat(127),
    '%2F',
    '...',
    'A\\B"\'\u0001',
  ]
  for (const name of NAMES) {
    test(`may have the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      expect((await put(name, { name: 'found' })).json).toMatchObject({ account: name, name: 'found' })
      expect((await server.ask(pathOf(name))).json).toMatchObject({ account: name, name: 'found' })
    })
  }

  test('that was billed and never described is there all the same', async () => {
    const time = new Date(Date.now() - 100 * 3_600_000).toISOString()
    await server.send([requestEvent('1', { subject: 'billed', time })])
    expect((await server.ask(pathOf('billed'))).json.code).toBe('account/not_found')
    await server.settle()
    const nothing = {
      name: null,
      timeZone: 'UTC',
      timeZones: [],
      tags: {},
      priceLists: [],
      closed: null,
      createdAt: null,
    }
    expect((await server.ask(pathOf('billed'))).json).toEqual({
      account: 'billed',
      ...nothing,
      updatedAt: null,
      waitingTiers: [],
      minimum: null,
    })
  })

  const BAD: Readonly<Record<string, readonly [account: string, body: unknown, code: string, says: RegExp]>> =
    {
      'no JSON': ['a', '{', 'request/malformed_json', /position 1/],
      'a list': ['a', [], 'request/invalid_body', /send \{"name"/],
      'an unknown member': ['a', { nmae: 'x' }, 'request/invalid_body', /nmae/],
      'a tag that is no text': ['a', { tags: { a: 1 } }, 'request/invalid_body', /tags/],
      'an account of 256 bytes': ['x'.repeat(256), {}, 'account/invalid_account', /255 bytes/],
      'a name that is none': ['a', { name: ' ' }, 'account/invalid_name', /name/],
      'a long name': ['a', { name: long(ACCOUNT_NAME_BYTES_MAX) }, 'account/invalid_name', /255 bytes/],
      'U+0000 in a name': ['a', { name: 'a\0' }, 'account/invalid_name', /name/],
      'half a surrogate pair': ['a', '{"name":"\\ud800"}', 'account/invalid_name', /name/],
      'too many tags': [
        'a',
        { tags: tags(TAGS_MAX + 1) },
        'account/invalid_tags',
        /51 tags: send at most 50/,
      ],
      'a tag without a name': ['a', { tags: { '': 'x' } }, 'account/invalid_tags', /name/],
      'a long name of a tag': [
        'a',
        { tags: { [long(TAG_NAME_BYTES_MAX)]: '' } },
        'account/invalid_tags',
        /64 bytes/,
      ],
      'a long value': [
        'a',
        { tags: { a: long(TAG_VALUE_BYTES_MAX) } },
        'account/invalid_tags',
        /"a".*255 bytes/,
      ],
      'a time zone that is none': [
        'a',
        { timeZone: 'Europe/Pariss' },
        'account/unknown_time_zone',
        /mean Europe\/Paris\?/,
      ],
      'one in other letters': [
        'a',
        { timeZone: 'europe/paris' },
        'account/unknown_time_zone',
        /mean Europe\/Paris\?/,
      ],
      'an offset': ['a', { timeZone: '+08:00' }, 'account/unknown_time_zone', /IANA name such as/],
      'an empty one': ['a', { timeZone: '' }, 'account/unknown_time_zone', /IANA/],
      'a closing that is no time': [
        'a',
        { closed: 'now' },
        'request/invalid_body',
        /closed is not an RFC 3339/,
      ],
      'a closing to come': [
        'a',
        { closed: new Date(Date.now() + 400_000).toISOString() },
        'account/closed_in_future',
        /5 minutes/,
      ],
      'a closing of 1999': ['a', { closed: '1999-12-31T23:59:59Z' }, 'account/closed_too_early', /2000/],
    }
  for (const [name, [account, body, code, says]] of Object.entries(BAD)) {
    test(`is refused for ${name}, and nothing changes`, async () => {
      const answer = await put(account, body)
      expect([answer.status, answer.json.code]).toEqual([400, code])
      expect(answer.json.detail).toMatch(says)
      expect((await server.ask(pathOf('a'))).status).toBe(404)
    })
  }

  test('takes all that goes to the limits, older names of time zones, and a closing within 5 minutes', async () => {
    const body = {
      name: 'x'.repeat(ACCOUNT_NAME_BYTES_MAX),
      tags: { ...tags(TAGS_MAX - 1), ['t'.repeat(TAG_NAME_BYTES_MAX)]: 'v'.repeat(TAG_VALUE_BYTES_MAX) },
      timeZone: 'US/Pacific',
      closed: new Date(Date.now() + 290_000).toISOString(),
    }
    expect((await put('x'.repeat(255), body)).json).toMatchObject(body)
  })
})

test('bills are in the month of the account’s time zone, and verify knows it', async () => {
  const { pool } = server.database
  // Without usage a zone counts for all months, whichever was set before.
  await put('tokyo', { timeZone: 'America/New_York' })
  const { json: made } = await put('tokyo', { timeZone: 'Asia/Tokyo' })
  expect(made.timeZones).toEqual([{ fromMonth: '1999-12', timeZone: 'Asia/Tokyo' }])
  const zones = (zone: string) =>
    pool.query('update account_profile set time_zones = $2 where account = $1', [
      'tokyo',
      JSON.stringify([{ fromMonth: '2025-01', zone }]),
    ])
  const times = [
    '2025-07-31T14:30:00Z',
    '2025-07-31T15:30:00Z',
    '2025-08-15T12:00:00Z',
    '2025-08-31T14:30:00Z',
  ]
  const events = ['tokyo', 'in-utc'].flatMap((subject) =>
    times.map((time) => requestEvent(time, { subject, time })),
  )
  await server.send(events)
  await server.settle()
  const monthsOf = async (account: string) =>
    (await server.ask(`/v1/bills?account=${account}`)).json.items.map(
      ({ statementMonth }: { statementMonth: string }) => statementMonth,
    )
  expect(await monthsOf('tokyo')).toEqual(['2025-07', '2025-08', '2025-08', '2025-08'])
  expect(await monthsOf('in-utc')).toEqual(['2025-07', '2025-07', '2025-08', '2025-08'])
  expect(await differences(pool)).toEqual([])
  // A history that is not the one by which the bills were issued.
  await zones('America/New_York')
  expect(await differences(pool)).toMatchObject([
    { place: 'bill 2025-07-31T15Z.tokyo', detail: 'statementMonth is 2025-08, and should be 2025-07' },
  ])
  await zones('Asia/Tokyo')
  // With usage, what was billed keeps its month.
  const { json: changed } = await put('tokyo', { timeZone: 'America/New_York' })
  expect(changed.timeZones).toEqual([
    { fromMonth: '2025-01', timeZone: 'Asia/Tokyo' },
    { fromMonth: expect.any(String), timeZone: 'America/New_York' },
  ])
  expect(changed.timeZones[1].fromMonth > new Date().toISOString().slice(0, 7)).toBe(true)
  expect(await differences(pool)).toEqual([])
})

test('accounts are listed by name, page by page', async () => {
  for (const account of ['list-c', 'list-a', 'list-ä', 'list-B']) await put(account, {})
  const names: string[] = []
  let cursor = ''
  do {
    const { json } = await server.ask(`/v1/accounts?limit=3${cursor && `&cursor=${cursor}`}`)
    expect(json.items.length).toBeLessThanOrEqual(3)
    names.push(...json.items.map(({ account }: { account: string }) => account))
    cursor = json.next
  } while (cursor !== null)
  expect(names.filter((name) => name.startsWith('list'))).toEqual(['list-B', 'list-a', 'list-c', 'list-ä'])
  expect(new Set(names).size).toBe(names.length)
  expect(names).toContain('billed')
})

test('a key of one account sees its own, and puts nothing', async () => {
  await put('mine', { name: 'My own' })
  await put('not-mine', { name: 'Of another' })
  const key = await server.key(['usage:read'], 'mine')
  const { json } = await server.ask('/v1/accounts', { key })
  expect(json.items.map(({ account }: { account: string }) => account)).toEqual(['mine'])
  expect((await server.ask(pathOf('mine'), { key })).json.name).toBe('My own')
  const [foreign, unknown] = await Promise.all([
    server.ask(pathOf('not-mine'), { key }),
    server.ask(pathOf('nobody'), { key }),
  ])
  expect({ ...foreign.json, requestId: 'any' }).toEqual({ ...unknown.json, requestId: 'any' })
  expect(foreign.status).toBe(404)
  expect((await put('mine', { name: 'x' }, key)).status).toBe(403)
})

test('two that make one account known at once both succeed', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) => put('at-once', at % 2 ? { name: `${at}` } : { closed: null })),
  )
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200, 200, 200, 200, 200, 200, 200, 201,
  ])
})

describe('when only known accounts are taken', () => {
  test('usage of others is rejected, each alone; it is taken as soon as they are known, in every process', async () => {
    const { pool } = server.database
    const processes = await Promise.all([1, 2].map(() => createIngest({ pool, log: quiet, taken: 'known' })))
    const codesOf = async (id: string) =>
      Promise.all(
        processes.map(async (ingest, at) => {
          const batch = [
            raw(`${id}-${at}`, 'known-1'),
            raw(`${id}-${at}`, 'stranger'),
            raw(`${id}-${at}`, 'a\0'),
          ]
          const submitted = await ingest.submit(batch, undefined)
          return submitted.ok ? submitted.results.map(({ code }) => code) : []
        }),
      )
    await put('known-1', {})
    const refused = [null, 'event/unknown_account', 'event/invalid_text']
    expect(await codesOf('1')).toEqual([refused, refused])
    await put('stranger', {})
    const taken = [null, null, 'event/invalid_text']
    expect(await codesOf('2')).toEqual([taken, taken])
    await Promise.all(processes.map((ingest) => ingest.close()))
  })

  test('those that are known are remembered, up to a limit; unknown ones are asked for all at once', async () => {
    const { pool } = server.database
    const asked: number[] = []
    const counting = {
      query: (text: string, values: unknown[]) => {
        if (text.includes('find_known_accounts')) asked.push((values[0] as string[]).length)
        return pool.query(text, values)
      },
    } as unknown as typeof pool
    const memory = makeAccountMemory(counting, 'known')
    await put('remembered', {})
    const two = ['remembered', 'forgotten', 'remembered', 'forgotten']
    for (let time = 0; time < 2; time++) {
      const rules = await memory.rulesFor(two)
      const at = Date.now() as never
      expect(two.map((account) => rules.refuse({ account, at })?.code)).toEqual([
        undefined,
        'event/unknown_account',
        undefined,
        'event/unknown_account',
      ])
    }
    expect(asked).toEqual([2, 1])
    await pool.query(
      `insert into account_profile (account, bucket)
       select 'many-' || n, $1 from generate_series(1, $2::int) as n`,
      [bucketOf('many'), KNOWN_ACCOUNTS_KEPT],
    )
    await memory.rulesFor(Array.from({ length: KNOWN_ACCOUNTS_KEPT }, (_, at) => `many-${at + 1}`))
    await memory.rulesFor(['many-1', 'remembered'])
    expect(asked).toEqual([2, 1, KNOWN_ACCOUNTS_KEPT, 1])
    await pool.query(`delete from account_profile where account like 'many-%'`)
  })
})
