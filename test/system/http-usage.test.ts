import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { at, type Day, first, FIRST_BILL, GB, type Item, makeDay, now } from './http-day.ts'
import { inUnits } from './used-in-units.ts'

let day: Day
beforeAll(async () => {
  day = await makeDay()
})
afterAll(() => day.server.close())

const get: Day['get'] = (path) => day.get(path)

const RANGE = `account=acme&from=${formatHourStart(first)}&to=${formatHourStart((now + 1) as Hour)}`

/** Storage of the open hour grows between two requests. */
function withoutGrowth(rows: readonly Item[]): readonly Item[] {
  return rows.map((row) => ({ ...row, quantity: '', amount: '' }))
}

async function story(id: string) {
  const { stored, refused } = await get(`/v1/events?account=acme&id=${id}`)
  return { stored, refused, text: stored.flatMap(({ steps }: never) => steps).map(({ text }: never) => text) }
}

describe('usage', () => {
  test('is that of the bills, and of what is on no bill yet, by the hour in which it happened', async () => {
    const { items: rows, currency } = await get(`/v1/usage?${RANGE}&groupBy=operation`)
    const items = inUnits(rows)
    expect(currency).toBe('USD')
    const queries = items.filter(({ operation }) => operation === 'SimpleQuery')
    expect(queries.map(({ from, quantity, waived }) => [from, quantity, waived])).toEqual([
      // 7 on the bill, and 5 that came late and are on no bill yet.
      [formatHourStart(first), '12', '1'],
      [formatHourStart((first + 1) as Hour), '1', '0'],
      [formatHourStart(now), '1', '0'],
    ])
  })

  test('of a line is quantity x price', async () => {
    const { items } = await get(`/v1/usage?${RANGE}&groupBy=item,component&window=day`)
    // Two lines, when midnight lies between the hours of the usage.
    const lines = inUnits<Item>(items).filter(({ item }) => item === 'ImageDetect')
    for (const line of lines) {
      expect(line).toMatchObject({ component: 'processing', unit: 'call' })
      expect(Number(line.amount)).toBeCloseTo(Number(line.quantity) * 0.000028, 12)
    }
    expect(lines.reduce((sum, { quantity }) => sum + Number(quantity), 0)).toBe(5)
  })

  test('stored data counts until now in the open hour, with what carries over', async () => {
    const { items, asOf } = await get(`/v1/usage?${RANGE}&groupBy=component`)
    const open = inUnits(items).filter(
      ({ component, from }) => component === 'storage' && from === formatHourStart(now),
    )
    const elapsed = BigInt(Date.parse(asOf) - now * 3_600_000)
    expect(open.map(({ quantity }) => quantity)).toEqual([String(elapsed * BigInt(3 * GB))])
  })

  test('comes page by page, without a row twice or missing', async () => {
    const query = `/v1/usage?${RANGE}&groupBy=component,item,operation,project`
    const { items } = await get(query)
    expect(withoutGrowth(inUnits(await day.pages(query, 2)))).toEqual(withoutGrowth(inUnits(items)))
  })

  test('windows are calendar days and months of UTC, cut to the range', async () => {
    const month = await get(
      `/v1/usage?account=acme&window=month&from=${formatHourStart(first)}&to=${at(first + 1, 0)}`,
    )
    const call = inUnits(month.items).find(({ unit }) => unit === 'call')
    expect(call).toMatchObject({
      from: formatHourStart(first),
      to: formatHourStart((first + 1) as Hour),
      quantity: '15',
    })
  })

  test('of an account that there is not is empty', async () => {
    expect((await get(`/v1/usage?${RANGE.replace('acme', 'nobody')}`)).items).toEqual([])
  })
})

describe('what became of an event', () => {
  test('billed: on which line, and at what price', async () => {
    const { stored, text } = await story('f2')
    expect(stored).toMatchObject([
      { late: false, outcome: 'accepted', state: 'settled', bill: FIRST_BILL, lines: [2] },
    ])
    expect(text).toEqual([
      'Received from test, and stored.',
      `It happened at ${at(first, 20)}, in the hour ${FIRST_BILL.slice(0, 14)}, and counts there.`,
      '2 calls under ImageDetect/faces, at 0.028 USD per 1,000 calls.',
      `On the bill ${FIRST_BILL}, in line 2.`,
      'Line 2: 3 calls × 0.028 / 1,000 = 0.000084 USD.',
    ])
  })

  test('waived, known without a fee, a level, held, late', async () => {
    expect((await story('failed')).text.join(' ')).toMatch(/1 call under .* not billed: status 503/)
    expect((await story('known')).text.join(' ')).toMatch(/GetProject is known and has no fee.*on no line/)
    expect((await story('l1')).text.join(' ')).toMatch(
      /photos\/2026 stores 1,000,000,000 bytes from .* line 3/,
    )
    const held = await story('unknown')
    expect(held.stored[0]).toMatchObject({ outcome: 'held', bill: FIRST_BILL, lines: [] })
    expect(held.text.join(' ')).toMatch(/Held: The price book does not know the operation Teleport/)
    const late = await story('late')
    expect(late.stored[0]).toMatchObject({ late: true, state: 'open', bill: null })
    expect(late.text.join(' ')).toMatch(/which had been closed: it counts as late usage in the bill of/)
  })

  test('sent again under another time: the later copy is on no line, and says which one counts', async () => {
    const { stored } = await story('twice')
    expect(stored.map(({ outcome, lines }: never) => [outcome, (lines as number[]).length])).toEqual([
      ['conflict', 0],
      ['accepted', 1],
    ])
    const texts = stored[0].steps.map(({ text }: { text: string }) => text).join(' ')
    const stands = formatHourStart((first + 1) as Hour).slice(0, 13)
    expect(texts).toContain(
      `of this source and id in the hour ${stands}Z counts, so this one is never billed`,
    )
  })

  test('in conflict: the first stands, the second is shown as refused', async () => {
    const { stored, refused } = await story('q0')
    expect(stored).toMatchObject([{ bill: FIRST_BILL, lines: [1] }])
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
        advice: expect.stringContaining('publish a price book that lists the operation'),
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
    expect((await day.server.ask('/v1/price-book/2')).json.code).toBe('price/version_not_found')
  })
})

test('the process is well: metrics count, and nothing was logged', async () => {
  const { text } = await day.server.ask('/metrics')
  expect(text).toContain('farthing_events_total{outcome="held"} 1')
  expect(text).toMatch(
    /farthing_http_requests_total\{method="GET",route="\/v1\/price-book\/:version",status="404"\} \d+/,
  )
  expect(text).toContain('farthing_body_bytes_held 0')
  expect((await get('/readyz')).ready).toBe(true)
  expect(day.server.logged).toEqual([])
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
    [
      '/v1/bills?from=yesterday',
      'request/invalid_parameter',
      /from is "yesterday": send an RFC 3339 time .*2025-07-28T09Z/,
    ],
    ['/v1/bills?from=2026-01-01T00:00:00', 'request/invalid_parameter', /from/],
    [
      '/v1/bills?from=2026-01-01T00:00:00+08:00',
      'request/invalid_parameter',
      /write the \+ of the offset as %2B/,
    ],
    ['/v1/bills?from=2026-01-02&to=2026-01-01', 'request/invalid_parameter', /to is .* not before from/],
    ['/v1/bills?cursor=nonsense', 'request/invalid_cursor', /unchanged/],
    ['/v1/usage?account=a&to=2026-01-01', 'request/missing_parameter', /from is missing/],
    [
      '/v1/usage?account=a&from=2025-01-01&to=2026-01-01',
      'request/range_too_long',
      /at most 32 days by hour/,
    ],
    [
      '/v1/usage?account=a&from=2026-01-01&to=2026-01-02&window=week',
      'request/invalid_parameter',
      /hour, day, month or none/,
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
    test(`refused: ${path}`, async () => {
      const answer = await day.server.ask(path)
      expect([answer.status, answer.json.code]).toEqual([400, code])
      expect(answer.json.detail).toMatch(says)
    })
  }

  test('a cursor of another list is refused', async () => {
    const { next } = await get('/v1/bills?limit=1')
    expect((await day.server.ask(`/v1/cycles?cursor=${next}`)).json.code).toBe('request/invalid_cursor')
  })
})
