import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** With this grace the hour before the current one is never sealed, and the one before that always is. */
const GRACE_MS = 3_600_000

// The tests are over within a minute, and must not cross into another hour.
const leftMs = GRACE_MS - (Date.now() % GRACE_MS)
if (leftMs < 60_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 100))

/** Live hours begin 4 hours ago. Everything happens around `first`, an hour that is settled. */
const now = hourOf(Date.now() as Instant)
const first = (now - 4) as Hour
const GB = 1_000_000_000

let server: TestServer

const at = (hour: number, minute: number, second = 0) =>
  new Date(hour * 3_600_000 + minute * 60_000 + second * 1000).toISOString()

function request(id: string, hour: number, data: object = {}) {
  return requestEvent(id, { time: at(hour, 10), data: { operation: 'SimpleQuery', status: 200, ...data } })
}

function faces(id: string, hour: number, data: object = {}) {
  const content = {
    operation: 'DetectImageFaces',
    mode: 'sync',
    project: 'photos',
    quantities: { call: 1 },
    ...data,
  }
  return requestEvent(id, { type: 'farthing.processing', time: at(hour, 20), data: content })
}

function level(id: string, hour: number, minute: number, bytes: number) {
  const data = { project: 'photos', dataset: '2026', bytes: String(bytes) }
  return requestEvent(id, { type: 'farthing.storage', time: at(hour, minute), data })
}

beforeAll(async () => {
  server = await testServer({ firstHour: first })
  const day = [
    ...Array.from({ length: 7 }, (_, index) => request(`q${index}`, first)),
    request('failed', first, { status: 503 }),
    faces('f1', first),
    faces('f2', first, { quantities: { call: 2 } }),
    level('l1', first, 15, GB),
    level('l2', first, 45, 3 * GB),
    request('next', first + 1),
    request('unknown', first, { operation: 'Teleport' }),
    requestEvent('known', { time: at(first, 1), data: { operation: 'GetProject', status: 200 } }),
  ]
  expect((await server.send(day)).json).toMatchObject({ accepted: 14, held: 1 })
  await server.settle({ graceMs: GRACE_MS })
  const late = [request('late', first, { count: 5 }), request('open', now - 0, { project: 'photos' })]
  late[1]!['time'] = new Date().toISOString()
  expect((await server.send(late)).json).toMatchObject({ accepted: 2 })
  await server.send([{ ...request('q0', first), data: { operation: 'SimpleQuery', status: 404 } }])
})
afterAll(() => server.close())

/** GET, checked against the schema of the answer. */
async function get(path: string) {
  const answer = await server.ask(path)
  expect([path, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([path, 200, ''])
  return answer.json
}

const firstBill = () => `${new Date(first * 3_600_000).toISOString().slice(0, 13)}Z.acme`

describe('bills', () => {
  test('are listed by cycle, without lines', async () => {
    const { items, next } = await get('/v1/bills?account=acme')
    expect(next).toBe(null)
    expect(items.map(({ cycle }: { cycle: { from: string } }) => cycle.from)).toEqual(
      [first, first + 1, first + 2].map((hour) => formatHourStart(hour as Hour)),
    )
    expect(items[0]).toMatchObject({ id: firstBill(), account: 'acme', sequence: 1, demo: true, late: false })
    expect(items[0]).not.toHaveProperty('lines')
  })

  test('a range takes cycles that start in it: from is in, to is not', async () => {
    const count = async (query: string) => (await get(`/v1/bills?account=acme&${query}`)).items.length
    const [a, b] = [formatHourStart(first), formatHourStart((first + 1) as Hour)]
    expect(await count(`from=${a}&to=${b}`)).toBe(1)
    expect(await count(`from=${b}`)).toBe(2)
    expect(await count(`from=${at(first, 0, 1)}&to=${at(first + 1, 0, 1)}`)).toBe(1)
    expect(await count(`from=${a}&to=${a}`)).toBe(0)
    expect(await count(`from=${a.slice(0, 13)}Z&to=${b.replace('Z', '%2B00:00')}`)).toBe(1)
  })

  test('the same bills come page by page, of one account and of all', async () => {
    for (const query of ['account=acme&', '']) {
      const whole = (await get(`/v1/bills?${query}`)).items
      const paged = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const page = await get(`/v1/bills?${query}limit=1${cursor && `&cursor=${cursor}`}`)
        paged.push(...page.items)
        cursor = page.next
      }
      expect(paged).toEqual(whole)
    }
  })

  test('one bill is whole, and its digests can be checked from the answer alone', async () => {
    const { lines, digest, ...head } = await get(`/v1/bills/${firstBill()}`)
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(sha256(canonicalJson(head))).toBe(digest)
    expect(sha256(lines.map((line: never) => `${canonicalJson(line)}\n`).join(''))).toBe(head.linesDigest)
    expect(lines.map(({ number }: { number: number }) => number)).toEqual([1, 2, 3])
    expect(lines[0]).toMatchObject({
      component: 'request',
      quantity: '7',
      waived: '1',
      operation: 'SimpleQuery',
    })
    expect(lines[1]).toMatchObject({
      component: 'processing',
      quantity: '3',
      project: 'photos',
      unit: 'call',
    })
    expect(lines[2]).toMatchObject({ component: 'storage', project: 'photos', amount: '0' })
  })

  test('lines come page by page', async () => {
    const path = `/v1/bills/${firstBill()}/lines`
    const one = await get(`${path}?limit=2`)
    const two = await get(`${path}?limit=2&cursor=${one.next}`)
    expect([...one.items, ...two.items]).toEqual((await get(`/v1/bills/${firstBill()}`)).lines)
    expect(two.next).toBe(null)
  })

  test('a line that there is not', async () => {
    const answer = await server.ask(`/v1/bills/${firstBill()}/lines/4/events`)
    expect([answer.status, answer.json.code]).toEqual([404, 'bill/line_not_found'])
  })
})

describe('the events behind a line', () => {
  test('add up to its quantities, page by page', async () => {
    const path = `/v1/bills/${firstBill()}/lines/1/events`
    const found: { readonly [name: string]: unknown }[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await get(`${path}?limit=3${cursor && `&cursor=${cursor}`}`)
      found.push(...page.items)
      cursor = page.next
    }
    const sum = (name: string) => found.reduce((total, item) => total + Number(item[name]), 0)
    expect([found.length, sum('quantity'), sum('waived')]).toEqual([8, 7, 1])
    expect(found[1]!['event']).toEqual({ ...request('q0', first), subject: 'acme' })
  })

  test('of processing are only those of its operation and project', async () => {
    const { items } = await get(`/v1/bills/${firstBill()}/lines/2/events`)
    expect(items.map(({ event, quantity }: never) => [(event as { id: string }).id, quantity])).toEqual([
      ['f1', '1'],
      ['f2', '2'],
    ])
  })

  test('of storage are the levels in force, with when; they add up to the line', async () => {
    const { items } = await get(`/v1/bills/${firstBill()}/lines/3/events`)
    expect(items).toMatchObject([
      { kind: 'level', id: 'l1', bytes: String(GB), from: at(first, 15), to: at(first, 45) },
      { kind: 'level', id: 'l2', bytes: String(3 * GB), from: at(first, 45), to: at(first + 1, 0) },
    ])
    const { lines } = await get(`/v1/bills/${firstBill()}`)
    const sum = items.reduce(
      (total: bigint, { quantity }: { quantity: string }) => total + BigInt(quantity),
      0n,
    )
    expect(String(sum)).toBe(lines[2].quantity)
    const next = await get(`/v1/bills/${firstBill().replace(/T\d\d/, `T${at(first + 1, 0).slice(11, 13)}`)}`)
    const carried = next.lines.find(({ component }: { component: string }) => component === 'storage')
    const behind = await get(`/v1/bills/${next.id}/lines/${carried.number}/events?limit=1`)
    expect(behind.items).toMatchObject([{ id: 'l2', from: at(first + 1, 0), to: at(first + 2, 0) }])
  })
})

describe('usage', () => {
  const range = () => `account=acme&from=${formatHourStart(first)}&to=${formatHourStart((now + 1) as Hour)}`

  test('is that of the bills, and of what is on no bill yet, by the hour in which it happened', async () => {
    const { items, currency } = await get(`/v1/usage?${range()}&groupBy=operation`)
    expect(currency).toBe('USD')
    const queries = items.filter(({ operation }: { operation: string }) => operation === 'SimpleQuery')
    expect(queries.map(({ from, quantity, waived }: never) => [from, quantity, waived])).toEqual([
      // 7 on the bill, and 5 that came late and are on no bill yet.
      [formatHourStart(first), '12', '1'],
      [formatHourStart((first + 1) as Hour), '1', '0'],
      [formatHourStart(now), '1', '0'],
    ])
  })

  test('of a line is quantity x price', async () => {
    const { items } = await get(`/v1/usage?${range()}&groupBy=item,component&window=day`)
    const item = items.find(({ item: name }: { item: string }) => name === 'ImageDetect')
    expect(item).toMatchObject({ component: 'processing', item: 'ImageDetect', quantity: '3', unit: 'call' })
    expect(Number(item.amount)).toBeCloseTo(3 * 0.000028, 12)
  })

  test('stored data counts until now in the open hour, with what carries over', async () => {
    const { items, asOf } = await get(`/v1/usage?${range()}&groupBy=component`)
    const open = items.filter(
      ({ component, from }: never) => component === 'storage' && from === formatHourStart(now),
    )
    const elapsed = BigInt(Date.parse(asOf) - now * 3_600_000)
    expect(open.map(({ quantity }: { quantity: string }) => quantity)).toEqual([
      String(elapsed * BigInt(3 * GB)),
    ])
  })

  test('comes page by page, without a row twice or missing', async () => {
    const query = `/v1/usage?${range()}&groupBy=component,item,operation,project`
    const whole = (await get(query)).items
    const paged: unknown[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await get(`${query}&limit=2${cursor && `&cursor=${cursor}`}`)
      paged.push(...page.items)
      cursor = page.next
    }
    const keys = (rows: unknown[]) => rows.map((row) => ({ ...(row as object), quantity: '', amount: '' }))
    // Storage of the open hour grows between two pages.
    expect(keys(paged)).toEqual(keys(whole))
  })

  test('windows are calendar days and months of UTC, cut to the range', async () => {
    const month = await get(
      `/v1/usage?account=acme&window=month&from=${formatHourStart(first)}&to=${at(first + 1, 0)}`,
    )
    const call = month.items.find(({ unit }: { unit: string }) => unit === 'call')
    expect(call).toMatchObject({
      from: formatHourStart(first),
      to: formatHourStart((first + 1) as Hour),
      quantity: '15',
    })
  })

  test('of an account that there is not is empty', async () => {
    expect((await get(`/v1/usage?${range().replace('acme', 'nobody')}`)).items).toEqual([])
  })
})

describe('what became of an event', () => {
  const story = async (id: string) => {
    const { stored, refused } = await get(`/v1/events?account=acme&id=${id}`)
    return {
      stored,
      refused,
      text: stored.flatMap(({ steps }: never) => steps).map(({ text }: never) => text),
    }
  }

  test('billed: on which line, and at what price', async () => {
    const { stored, text } = await story('f2')
    expect(stored).toMatchObject([
      { late: false, outcome: 'accepted', state: 'settled', bill: firstBill(), lines: [2] },
    ])
    expect(text).toEqual([
      'Received from test, and stored.',
      `It happened at ${at(first, 20)}, in the hour ${firstBill().slice(0, 14)}, and counts there.`,
      '2 calls under ImageDetect/faces, at 0.028 USD per 1,000 calls.',
      `On the bill ${firstBill()}, in line 2.`,
    ])
  })

  test('waived, known without a fee, a level, held, late', async () => {
    expect((await story('failed')).text.join(' ')).toMatch(/1 call under .* not billed: status 503/)
    expect((await story('known')).text.join(' ')).toMatch(/GetProject is known and has no fee.*on no line/)
    expect((await story('l1')).text.join(' ')).toMatch(
      /photos\/2026 stores 1,000,000,000 bytes from .* line 3/,
    )
    const held = await story('unknown')
    expect(held.stored[0]).toMatchObject({ outcome: 'held', bill: firstBill(), lines: [] })
    expect(held.text.join(' ')).toMatch(/Held: The price book does not know the operation Teleport/)
    const late = await story('late')
    expect(late.stored[0]).toMatchObject({ late: true, state: 'open', bill: null })
    expect(late.text.join(' ')).toMatch(/which had been closed: it counts as late usage in the bill of/)
  })

  test('in conflict: the first stands, the second is shown as refused', async () => {
    const { stored, refused } = await story('q0')
    expect(stored).toMatchObject([{ bill: firstBill(), lines: [1] }])
    expect(refused).toMatchObject([{ outcome: 'conflict', id: 'q0' }])
  })

  test('never seen', async () => {
    expect(await story('nothing')).toMatchObject({ stored: [], refused: [] })
  })
})

describe('hours, and usage on no bill', () => {
  test('cycles: open ones first, then sealed and settled, page by page', async () => {
    const { items } = await get('/v1/cycles')
    expect(items.map(({ cycle }: { cycle: { from: string } }) => cycle.from)).toEqual(
      Array.from({ length: items.length }, (_, index) => formatHourStart((now - index) as Hour)),
    )
    expect(items.at(-1)).toMatchObject({ state: 'settled', priceVersion: 1 })
    expect(items.at(-1).lagSeconds).toBeGreaterThan(0)
    expect(items[0]).toMatchObject({ state: 'open', lagSeconds: null })
    const page = await get('/v1/cycles?limit=2')
    const rest = await get(`/v1/cycles?cursor=${page.next}`)
    expect([...page.items, ...rest.items].map(({ cycle }) => cycle)).toEqual(
      items.map(({ cycle }: never) => cycle),
    )
  })

  test('held events, by reason and one by one', async () => {
    const { items } = await get('/v1/held-events')
    const hour = formatHourStart(first)
    expect(items).toEqual([
      {
        code: 'held/unknown_operation',
        subject: 'Teleport',
        events: 1,
        accounts: 1,
        firstHour: hour,
        lastHour: hour,
      },
    ])
    const { code, subject } = items[0]
    const events = await get(`/v1/held-events/events?code=${encodeURIComponent(code)}&subject=${subject}`)
    expect(events.items).toMatchObject([{ account: 'acme', id: 'unknown', source: 'test', hour }])
    expect((await get('/v1/held-events/events?subject=other')).items).toEqual([])
  })

  test('the price book that bills were made with', async () => {
    const newest = await get('/v1/price-book')
    expect(newest).toMatchObject({ version: 1, demo: true })
    expect(createHash('sha256').update(canonicalJson(newest.book)).digest('hex')).toBe(newest.digest)
    expect(await get('/v1/price-book/1')).toEqual(newest)
    expect((await server.ask('/v1/price-book/2')).json.code).toBe('price/version_not_found')
  })
})

describe('parameters', () => {
  const cases: readonly [path: string, code: string, says: RegExp][] = [
    ['/v1/bills?acount=a', 'request/unknown_parameter', /acount.*did you mean account\?/],
    ['/v1/bills?limit=0', 'request/invalid_parameter', /limit is "0": send a whole number from 1 to 1000/],
    ['/v1/bills?limit=1001', 'request/invalid_parameter', /from 1 to 1000/],
    ['/v1/bills?limit=1e3', 'request/invalid_parameter', /limit/],
    ['/v1/bills?limit=1&limit=2', 'request/invalid_parameter', /limit is there more than once/],
    ['/v1/bills?account=', 'request/invalid_parameter', /account is ""/],
    ['/v1/bills?account=%00', 'request/invalid_parameter', /account/],
    ['/v1/bills?from=yesterday', 'request/invalid_parameter', /from is "yesterday": send an RFC 3339 time/],
    ['/v1/bills?from=2026-01-01T00:00:00', 'request/invalid_parameter', /from/],
    [
      '/v1/bills?from=2026-01-01T00:00:00+08:00',
      'request/invalid_parameter',
      /write the \+ of the offset as %2B/,
    ],
    ['/v1/bills?from=2026-01-02&to=2026-01-01', 'request/invalid_parameter', /to is .* not before from/],
    ['/v1/bills?cursor=nonsense', 'request/invalid_cursor', /unchanged/],
    ['/v1/usage?account=a&to=2026-01-01', 'request/missing_parameter', /from is missing/],
    ['/v1/usage?from=2026-01-01&to=2026-01-02', 'request/missing_parameter', /account is missing/],
    [
      '/v1/usage?account=a&from=2025-01-01&to=2026-01-01',
      'request/range_too_long',
      /at most 31 days by hour/,
    ],
    [
      '/v1/usage?account=a&from=2026-01-01&to=2026-01-02&window=week',
      'request/invalid_parameter',
      /hour, day or month/,
    ],
    [
      '/v1/usage?account=a&from=2026-01-01&to=2026-01-02&groupBy=colour',
      'request/invalid_parameter',
      /component, item/,
    ],
    ['/v1/price-book/one', 'request/invalid_parameter', /version is "one"/],
    ['/healthz?x=1', 'request/unknown_parameter', /send none here/],
  ]
  for (const [path, code, says] of cases) {
    test(path, async () => {
      const answer = await server.ask(path)
      expect([answer.status, answer.json.code]).toEqual([400, code])
      expect(answer.json.detail).toMatch(says)
    })
  }

  test('a cursor of another list is refused', async () => {
    const { next } = await get('/v1/bills?limit=1')
    expect((await server.ask(`/v1/cycles?cursor=${next}`)).json.code).toBe('request/invalid_cursor')
  })
})

/** Addresses of every GET route, with values that exist. */
const EXAMPLES: Readonly<Record<string, () => string>> = {
  '/v1/events': () => '/v1/events?account=acme&id=q0',
  '/v1/usage': () =>
    `/v1/usage?account=acme&from=${at(first, 0)}&to=${at(now + 1, 0)}&groupBy=component,operation,project`,
  '/v1/bills/:id': () => `/v1/bills/${firstBill()}`,
  '/v1/bills/:id/lines': () => `/v1/bills/${firstBill()}/lines`,
  '/v1/bills/:id/lines/:number/events': () => `/v1/bills/${firstBill()}/lines/3/events`,
  '/v1/price-book/:version': () => '/v1/price-book/1',
  '/v1/imports/:name': () => '/v1/imports/12345678',
}

describe('openapi.json', () => {
  for (const { method, url, answers } of ROUTES.filter(
    (route) => route.method === 'GET' && route.url !== '/metrics',
  )) {
    test(`${method} ${url} answers what it says`, async () => {
      const json = await get(EXAMPLES[url]?.() ?? url)
      const schema = strict(answers[200]!)
      expect(Compile(schema).Errors(json)).toEqual([])
    })
  }

  test('names every route', async () => {
    const { openapi, paths } = await get('/openapi.json')
    expect(openapi).toBe('3.1.0')
    const documented = Object.keys(paths).sort()
    expect(documented).toEqual([...new Set(ROUTES.map(({ url }) => url.replace(/:(\w+)/g, '{$1}')))].sort())
  })
})

/** The schema, and no members besides: what an answer has is documented. */
function strict<Schema>(schema: Schema): TSchema {
  if (typeof schema !== 'object' || schema === null) return schema as TSchema
  if (Array.isArray(schema)) return schema.map(strict) as unknown as TSchema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]))
  const isClosed =
    copy['type'] === 'object' && copy['properties'] && copy['additionalProperties'] === undefined
  return (isClosed ? { ...copy, additionalProperties: false } : copy) as unknown as TSchema
}

test('the process is well: metrics count, and nothing was logged', async () => {
  const { text } = await server.ask('/metrics')
  expect(text).toContain('farthing_events_total{outcome="held"} 1')
  expect(text).toMatch(
    /farthing_http_requests_total\{method="GET",route="\/v1\/bills\/:id",status="200"\} \d+/,
  )
  expect(text).toContain('farthing_body_bytes_held 0')
  expect((await get('/readyz')).ready).toBe(true)
  expect(server.logged).toEqual([])
})
