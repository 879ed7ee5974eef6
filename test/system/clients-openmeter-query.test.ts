import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { METER_ROWS_MAX } from '../../src/flows/read/read-meter.ts'
import { METER_SUBJECTS_MAX } from '../../src/http/compat/openmeter-query.ts'
import { openmeterAt } from './compat-clients.ts'
import { type Answer, testServer, type TestServer } from './http-server.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'
import { inUnits } from './used-in-units.ts'

const HOUR = 3_600_000
const now = Date.now()
/** Noon of UTC, days ago: on bills, as backfill. */
const noon = Math.floor(now / (24 * HOUR)) * 24 * HOUR - 60 * HOUR
const at = (hours: number) => new Date(noon + hours * HOUR)
const ALL = { from: at(-12), to: new Date(now + HOUR) }
/** More digits than a JavaScript number has. */
const LONG = '123456789012345678901234567890.123456789012'

let server: TestServer
let events = 0

beforeAll(async () => {
  server = await testServer()
  await publish()
  await send([
    used('acme', 'Prompt', { tokens: '0.1' }, at(0.5), { project: 'a' }),
    used('acme', 'Prompt', { tokens: '0.2' }, at(1), { project: 'b', region: 'eu' }),
    used('acme', 'Answer', { tokens: '5' }, at(1.9)),
    used('acme', 'Answer', { tokens: '7' }, at(12)),
    used('acme', 'Page', { pages: '3' }, at(0)),
    used('long', 'Prompt', { tokens: LONG }, at(0)),
  ])
  await server.settle()
  // On no bill yet: of an hour that has one, and of the open one.
  await send([
    used('acme', 'Answer', { tokens: '100' }, at(12.5)),
    used('acme', 'Prompt', { tokens: '1000' }, new Date(now), { project: 'a' }),
    used('other', 'Prompt', { tokens: '9' }, new Date(now)),
  ])
})
afterAll(() => server.close())

function publish(): Promise<void> {
  const eventTypes = {
    Prompt: typeOf('Prompt', 'token', 'tokens'),
    Answer: typeOf('Answer', 'token', 'tokens'),
    Page: typeOf('Page', 'page', 'pages'),
  }
  return publishTypes(server, eventTypes, {
    Tokens: itemOf({ in: rateOf('Prompt', 'token'), out: rateOf('Answer', 'token') }),
    Mixed: itemOf({ pages: rateOf('Page', 'page'), calls: rateOf('Call', 'call') }),
    'Mixed.pages': itemOf({ x: rateOf('Sheet', 'page') }),
    'Dotted.a': itemOf({ b: rateOf('One', 'page') }),
    Dotted: itemOf({ 'a.b': rateOf('Two', 'page') }),
  })
}

function used(subject: string, type: string, data: object, time: Date, more: object = {}) {
  const id = `e${events++}`
  return { specversion: '1.0', id, source: 's', type, subject, time, data: { ...data, ...more } }
}

async function send(list: readonly object[]): Promise<void> {
  const { json } = await server.send(list)
  if (json.accepted !== list.length) throw new Error(JSON.stringify(json.problems[0]))
}

function meters(key = server.adminKey) {
  return openmeterAt({ url: server.url, key }).meters
}

type Ask = NonNullable<Parameters<ReturnType<typeof meters>['query']>[1]>

type PostAsk = Parameters<ReturnType<typeof meters>['queryPost']>[1]

async function rows(slug: string, ask: Ask, key?: string) {
  const answer = await meters(key).query(slug, { ...ALL, ...ask })
  return answer?.data ?? []
}

/** POST of the same question. */
async function posted(slug: string, ask: PostAsk, key?: string) {
  const answer = await meters(key).queryPost(slug, { ...ALL, ...ask })
  // Its type may also be CSV, which was not asked for.
  if (typeof answer === 'string') throw new Error(answer)
  return answer?.data ?? []
}

async function values(slug: string, ask: Ask, key?: string) {
  return (await rows(slug, ask, key)).map(({ subject, value }) => `${subject} ${value}`)
}

function raw(slug: string, query: string, key = server.adminKey): Promise<Answer> {
  const [from, to] = [ALL.from, ALL.to].map((time) => new Date(Math.ceil(+time / 3_600_000) * 3_600_000))
  const range = `from=${from!.toISOString()}&to=${to!.toISOString()}`
  return server.ask(`/api/v1/meters/${slug}/query?${range}&${query}`, { key })
}

describe('meters.query of @openmeter/sdk', () => {
  test('gives usage by hour, of bills and of what is on none yet, with the windows as times', async () => {
    const to = at(24)
    const answer = await meters().query('Tokens', { ...ALL, to, subject: ['acme'], windowSize: 'HOUR' })
    const row = (hour: number, value: number) => {
      return { value, windowStart: at(hour), windowEnd: at(hour + 1), subject: 'acme', groupBy: {} }
    }
    const data = [row(0, 0.1), row(1, 5.2), row(12, 107)]
    expect(answer).toEqual({ from: ALL.from, to, windowSize: 'HOUR', data })
  })

  test('gives usage by day, cut to the hours that start in the range', async () => {
    const [from, to] = [at(0.01), at(36)]
    const answer = await meters().query('Tokens', { from, to, subject: ['acme'], windowSize: 'DAY' })
    expect(answer?.from).toEqual(at(1))
    expect(answer?.data.map(({ value, windowStart, windowEnd }) => [value, windowStart, windowEnd])).toEqual([
      [5.2, at(1), at(12)],
      [107, at(12), at(36)],
    ])
  })

  test('gives the months of GET /v1/usage', async () => {
    const [from, to] = [ALL.from, ALL.to].map((time) => new Date(Math.ceil(+time / 3_600_000) * 3_600_000))
    const range = `from=${from!.toISOString()}&to=${to!.toISOString()}`
    const { json } = await server.ask(`/v1/usage?account=acme&${range}&window=month&groupBy=item,operation`)
    const items = inUnits(json.items).filter(({ item }) => item === 'Tokens')
    const own = await rows('Tokens', { subject: ['acme'], windowSize: 'MONTH', groupBy: ['operation'] })
    expect(
      own.map(({ value, windowStart, groupBy }) => [String(value), +windowStart, groupBy['operation']]),
    ).toEqual(items.map((row) => [row['quantity'], Date.parse(row['from']!), row['operation']]))
    expect(own.length).toBeGreaterThan(1)
  })

  test('without a window gives one exact sum for each subject, until now if no end is said', async () => {
    const ask = { from: ALL.from, subject: ['other', 'acme', 'other', 'nobody'] }
    const answer = await meters().query('Tokens', ask)
    expect(answer?.data.map(({ subject, value }) => [subject, value])).toEqual([
      ['other', 9],
      ['acme', 1112.3],
    ])
    expect(answer?.windowSize).toBeUndefined()
    const [row] = answer?.data ?? []
    expect([row?.windowStart, row?.windowEnd]).toEqual([answer?.from, answer?.to])
    expect(Math.abs(Number(answer?.to) - now)).toBeLessThan(2 * HOUR)
  })

  test('without a subject sums up all accounts, or gives each by itself', async () => {
    const each = [
      ['acme', 1112.3],
      ['long', Number(LONG)],
      ['other', 9],
    ]
    const found = await rows('Tokens', { groupBy: ['subject'] })
    expect(found.map(({ subject, value, groupBy }) => [subject, value, groupBy])).toEqual(
      each.map((row) => [...row, {}]),
    )
    const { text } = await raw('Tokens', '')
    const sum = (BigInt(LONG.replace('.', '')) + 1_121_300_000_000_000n).toString()
    expect(text).toContain(`"data":[{"value":${sum.slice(0, -12)}.${sum.slice(-12)},"windowStart":`)
    const [all, ...others] = await rows('Tokens', { from: new Date(now - HOUR), to: new Date(now + HOUR) })
    expect([all?.value, all?.subject, others]).toEqual([1009, null, []])
  })

  test('without a subject has windows and groups', async () => {
    const ask = { from: at(0), to: at(24), windowSize: 'HOUR', groupBy: ['project'] } as const
    const found = await rows('Tokens.out', { ...ask, groupBy: ['project', 'subject'] })
    expect(found.map(({ value, subject }) => [value, subject])).toEqual([
      [5, 'acme'],
      [107, 'acme'],
    ])
    const sums = await rows('Tokens.in', { ...ask, groupBy: ['project'] })
    expect(
      sums.map(({ value, windowStart, subject, groupBy }) => [value, windowStart, subject, groupBy]),
    ).toEqual([
      [Number(LONG), at(0), null, { project: null }],
      [0.1, at(0), null, { project: 'a' }],
      [0.2, at(1), null, { project: 'b' }],
    ])
  })

  test('asked by POST, it has the same answer, with more subjects than an address can hold', async () => {
    const subject = [
      'acme',
      ...Array.from({ length: METER_SUBJECTS_MAX - 1 }, (_, index) => `${'x'.repeat(240)}${index}`),
    ]
    const ask = { windowSize: 'DAY', groupBy: ['subject', 'region'] } as const
    const few = { ...ask, subject: ['acme'], groupBy: [...ask.groupBy] }
    expect(await posted('Tokens', { ...few, subject })).toEqual(await rows('Tokens', few))
    expect(await posted('Tokens', {})).toEqual(await rows('Tokens', {}))
    const key = await server.key(['usage:read'], 'other')
    expect(await posted('Tokens', {}, key)).toMatchObject([{ subject: 'other', value: 9 }])
    await expect(posted('Tokens', { subject: ['acme'] }, key)).rejects.toMatchObject({ status: 403 })
  })

  test('counts corrections of the very rate alone, and sums up over months', async () => {
    await send([
      used('late', 'Prompt', { tokens: '0.1' }, at(-40 * 24)),
      used('late', 'Prompt', { tokens: '0.2' }, at(0)),
      used('late', 'Page', { pages: '1' }, at(0)),
    ])
    await server.settle()
    await send([
      used('late', 'Prompt', { tokens: '10' }, at(0)),
      used('late', 'Answer', { tokens: '100' }, at(0)),
      used('late', 'Page', { pages: '1000' }, at(0)),
    ])
    // The open hour ends early, so that its corrections are on a bill.
    await server.settle({ graceMs: now - Math.ceil((now + 1) / HOUR) * HOUR })
    const ask = { from: at(-41 * 24), subject: ['late'] }
    expect(await values('Tokens', ask)).toEqual(['late 110.3'])
    expect(await values('Tokens.in', ask)).toEqual(['late 10.3'])
    const all = { from: at(-41 * 24), to: at(1), groupBy: ['subject'] }
    expect(await values('Tokens', all)).toContain('late 110.3')
  })

  test('groups by project, region and operation, and null is none of them', async () => {
    const groupBy = ['subject', 'region', 'project']
    const found = await rows('Tokens', { subject: ['acme'], groupBy })
    expect(found.map(({ value, groupBy: groups }) => [value, groups])).toEqual([
      [112, { project: null, region: null }],
      [1000.1, { project: 'a', region: null }],
      [0.2, { project: 'b', region: 'eu' }],
    ])
  })

  test('asks for one rate of an item, billed or not, whose names may have dots', async () => {
    expect(await values('Tokens.in', { subject: ['acme'] })).toEqual(['acme 1000.3'])
    expect(await values('Tokens.out', { subject: ['acme'] })).toEqual(['acme 112'])
    expect(await values('Mixed.calls', { subject: ['acme'] })).toEqual([])
    // An item of this very name goes before the rate.
    expect(await values('Mixed.pages', { subject: ['acme'] })).toEqual([])
  })

  test('is answered with every digit, which a JavaScript number cannot hold', async () => {
    const { text, headers } = await raw('Tokens', 'subject=long&subject=acme')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(text).toContain(`{"value":${LONG},"windowStart":`)
    expect(text).toContain('{"value":1112.3,"windowStart":')
    expect(await values('Tokens', { subject: ['long'] })).toEqual([`long ${Number(LONG)}`])
  })

  test('with a key of one account gives that account, and no other', async () => {
    const key = await server.key(['usage:read'], 'other')
    expect(await values('Tokens', {}, key)).toEqual(['other 9'])
    expect(await values('Tokens', { subject: ['other'] }, key)).toEqual(['other 9'])
    for (const subject of [['acme'], ['other', 'acme']]) {
      await expect(rows('Tokens', { subject }, key)).rejects.toMatchObject({
        status: 403,
        message: expect.stringContaining('leave the parameter subject out') as string,
      })
    }
    const sender = await server.key(['usage:write'], 'other')
    await expect(rows('Tokens', {}, sender)).rejects.toMatchObject({ status: 403 })
    await expect(rows('Tokens', {}, 'frt_no')).rejects.toMatchObject({ status: 401 })
  })
})

describe('what a meter cannot say is refused, as the HTTPError that the SDK knows', () => {
  const REFUSALS: Readonly<Record<string, [slug: string, ask: object, status: number, message: RegExp]>> = {
    minutes: [
      'Tokens',
      { windowSize: 'MINUTE' },
      400,
      /"MINUTE": usage is kept by the hour, so send HOUR, DAY/,
    ],
    'another time zone': ['Tokens', { windowTimeZone: 'Asia/Tokyo' }, 400, /"Asia\/Tokyo": .* so send UTC/],
    'an empty subject': ['Tokens', { subject: [''] }, 400, /each as subject=/],
    'another group': [
      'Tokens',
      { groupBy: ['model'] },
      400,
      /"model": send some of subject, operation, project/,
    ],
    'a range that ends first': ['Tokens', { to: at(-24) }, 400, /not before from/],
    'too many hours': ['Tokens', { from: at(-800), windowSize: 'HOUR' }, 400, /at most 32 days by hour/],
    'too many days': ['Tokens', { from: at(-370 * 24), windowSize: 'DAY' }, 400, /at most 368 days by day/],
    'too many years': ['Tokens', { from: at(-3661 * 24) }, 400, /at most 10 years/],
    'a filter': [
      'Tokens',
      { filterGroupBy: { project: 'a' } },
      400,
      /no parameter "filterGroupBy\[project\]"/,
    ],
    'an unknown item': ['Token', {}, 404, /No item of the price book has this name/],
    'an unknown rate': ['Tokens.x', {}, 404, /send an item, or item\.rate/],
    'different units': ['Mixed', {}, 422, /Mixed\.calls \(call\), Mixed\.pages \(page\)/],
    'a name of two rates': ['Dotted.a.b', {}, 422, /rates of two items, whose names have dots/],
  }
  for (const [name, [slug, ask, status, message]] of Object.entries(REFUSALS)) {
    test(`refused: ${name}`, async () => {
      const asked = meters().query(slug, { ...ALL, subject: ['acme'], ...ask })
      await expect(asked).rejects.toMatchObject({ status, message: expect.stringMatching(message) as string })
    })
  }

  test('a body is refused as an address is', async () => {
    for (const [body, code, says] of [
      ['{"from":', 'request/malformed_json', /ends too early/],
      ['[]', 'request/invalid_body', /The body is no object/],
      ['{"from":1}', 'request/invalid_body', /^from is neither a text nor a list of texts/],
      ['{"from":"2026-01-01","subject":[1]}', 'request/invalid_body', /^subject is neither/],
      ['{"from":"2026-01-01","filterGroupBy":{"a":["b"]}}', 'request/unknown_parameter', /"filterGroupBy"/],
      ['{"from":"2026-01-01","windowSize":"MINUTE"}', 'request/invalid_parameter', /so send HOUR, DAY/],
    ] as const) {
      const init = { method: 'POST', body, type: 'application/json' }
      const { status, json } = await server.ask('/api/v1/meters/Tokens/query', init)
      expect([body, status, json.code]).toEqual([body, 400, code])
      expect(json.detail).toMatch(says)
    }
  })

  test('and each has its code, and the content type of a problem', async () => {
    for (const [slug, query, code] of [
      ['Tokens', 'subject=a&windowSize=MINUTE', 'request/invalid_parameter'],
      ['Tokens', 'subject=a&to=x', 'request/invalid_parameter'],
      ['x', 'subject=a', 'meter/not_found'],
      ['Mixed', 'subject=a', 'meter/unclear'],
    ] as const) {
      const { json, headers } = await raw(slug, query)
      expect([json.code, headers.get('content-type')]).toEqual([code, 'application/problem+json'])
    }
  })
})

describe('limits', () => {
  test(`${METER_SUBJECTS_MAX} subjects are answered, and one more is refused`, async () => {
    const subject = ['acme', ...Array.from({ length: METER_SUBJECTS_MAX - 1 }, (_, index) => `s${index}`)]
    expect(await values('Tokens', { subject })).toEqual(['acme 1112.3'])
    await expect(values('Tokens', { subject: [...subject, 'z'] })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(`send 1 to ${METER_SUBJECTS_MAX} accounts`) as string,
    })
  })

  test(`${METER_ROWS_MAX} rows are answered, and one more is refused`, async () => {
    const list = Array.from({ length: METER_ROWS_MAX }, (_, index) =>
      used('rows', 'Prompt', { tokens: '1' }, new Date(now), { project: `p${index}` }),
    )
    await send(list)
    const groupBy = ['project']
    expect(await rows('Tokens', { subject: ['rows'], groupBy })).toHaveLength(METER_ROWS_MAX)
    await expect(rows('Tokens', { subject: ['rows', 'other'], groupBy })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining(`more than ${METER_ROWS_MAX} rows: ask for a shorter range`) as string,
    })
    await send([used('rows', 'Prompt', { tokens: '1' }, new Date(now))])
    const refused = await raw('Tokens', 'subject=rows&groupBy=project')
    expect([refused.status, refused.json.code]).toEqual([422, 'meter/too_many_rows'])
  })
})
