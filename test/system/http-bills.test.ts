import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billId } from '../../src/core/bill/bill-id.ts'
import { canonicalJson } from '../../src/core/text/canonical-json.ts'
import { formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { at, type Day, first, FIRST_BILL, GB, makeDay, now, request } from './http-day.ts'

let day: Day
beforeAll(async () => {
  day = await makeDay()
})
afterAll(() => day.server.close())

const get: Day['get'] = (path) => day.get(path)

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function countBills(query: string): Promise<number> {
  return (await get(`/v1/bills?account=acme&${query}`)).items.length
}

describe('bills', () => {
  test('are listed by cycle, without lines', async () => {
    const { items, next } = await get('/v1/bills?account=acme')
    expect(next).toBe(null)
    expect(items.map(({ cycle }: { cycle: { from: string } }) => cycle.from)).toEqual(
      [first, first + 1, first + 2].map((hour) => formatHourStart(hour as Hour)),
    )
    expect(items[0]).toMatchObject({ id: FIRST_BILL, account: 'acme', sequence: 1, demo: true, late: false })
    expect(items[0]).not.toHaveProperty('lines')
  })

  test('a range takes cycles that start in it: from is in, to is not', async () => {
    const [a, b] = [formatHourStart(first), formatHourStart((first + 1) as Hour)]
    expect(await countBills(`from=${a}&to=${b}`)).toBe(1)
    expect(await countBills(`from=${b}`)).toBe(2)
    expect(await countBills(`from=${at(first, 0, 1)}&to=${at(first + 1, 0, 1)}`)).toBe(1)
    expect(await countBills(`from=${a}&to=${a}`)).toBe(0)
    expect(await countBills(`from=${a.slice(0, 13)}Z&to=${b.replace('Z', '%2B00:00')}`)).toBe(1)
  })

  test('the same bills come page by page, of one account and of all', async () => {
    for (const path of ['/v1/bills?account=acme', '/v1/bills']) {
      expect(await day.pages(path, 1)).toEqual((await get(path)).items)
    }
  })

  test('one bill is whole, and its digests can be checked from the answer alone', async () => {
    const { lines, digest, ...head } = await get(`/v1/bills/${FIRST_BILL}`)
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
    const { lines } = await get(`/v1/bills/${FIRST_BILL}`)
    expect(await day.pages(`/v1/bills/${FIRST_BILL}/lines`, 2)).toEqual(lines)
  })

  test('a line that there is not', async () => {
    const answer = await day.server.ask(`/v1/bills/${FIRST_BILL}/lines/4/events`)
    expect([answer.status, answer.json.code]).toEqual([404, 'bill/line_not_found'])
  })
})

describe('the events behind a line', () => {
  test('add up to its quantities, page by page', async () => {
    const found = await day.pages(`/v1/bills/${FIRST_BILL}/lines/1/events`, 3)
    const sum = (name: string) => found.reduce((total, item) => total + Number(item[name]), 0)
    expect([found.length, sum('quantity'), sum('waived')]).toEqual([8, 7, 1])
    expect(found[1]!['event']).toEqual(request('q0', first))
  })

  test('of processing are only those of its operation and project', async () => {
    const { items } = await get(`/v1/bills/${FIRST_BILL}/lines/2/events`)
    expect(items.map(({ event, quantity }: never) => [(event as { id: string }).id, quantity])).toEqual([
      ['f1', '1'],
      ['f2', '2'],
    ])
  })

  test('are not the copies of an event under another time', async () => {
    const id = `${formatHourStart((first + 2) as Hour).slice(0, 13)}Z.acme`
    const { lines } = await get(`/v1/bills/${id}`)
    const { number, quantity } = lines.find(({ project }: { project: string }) => project === 'copies')
    const { items } = await get(`/v1/bills/${id}/lines/${number}/events`)
    expect([quantity, items.map(({ event }: { event: { id: string } }) => event.id)]).toEqual([
      '1',
      ['other'],
    ])
  })

  test('of storage are the levels in force, with when; they add up to the line', async () => {
    const { items } = await get(`/v1/bills/${FIRST_BILL}/lines/3/events`)
    expect(items).toMatchObject([
      { kind: 'level', id: 'l1', bytes: String(GB), from: at(first, 15), to: at(first, 45) },
      { kind: 'level', id: 'l2', bytes: String(3 * GB), from: at(first, 45), to: at(first + 1, 0) },
    ])
    const { lines } = await get(`/v1/bills/${FIRST_BILL}`)
    const sum = items.reduce(
      (total: bigint, { quantity }: { quantity: string }) => total + BigInt(quantity),
      0n,
    )
    expect(String(sum)).toBe(lines[2].quantity)
    const next = await get(`/v1/bills/${billId('acme', (first + 1) as Hour)}`)
    const carried = next.lines.find(({ component }: { component: string }) => component === 'storage')
    const behind = await get(`/v1/bills/${next.id}/lines/${carried.number}/events?limit=1`)
    expect(behind.items).toMatchObject([{ id: 'l2', from: at(first + 1, 0), to: at(first + 2, 0) }])
  })
})

/** Addresses of every GET route, with values that exist. */
const EXAMPLES: Readonly<Record<string, () => string>> = {
  '/v1/events': () => '/v1/events?account=acme&id=q0',
  '/v1/usage': () =>
    `/v1/usage?account=acme&from=${at(first, 0)}&to=${at(now + 1, 0)}&groupBy=component,operation,project`,
  '/v1/bills/:id': () => `/v1/bills/${FIRST_BILL}`,
  '/v1/bills/:id/proof': () => `/v1/bills/${FIRST_BILL}/proof`,
  '/v1/bills/:id/lines': () => `/v1/bills/${FIRST_BILL}/lines`,
  '/v1/bills/:id/lines/:number/events': () => `/v1/bills/${FIRST_BILL}/lines/3/events`,
  '/v1/storage': () => '/v1/storage?account=acme',
  '/v1/accounts/:account': () => '/v1/accounts/acme',
  '/v1/price-book/:version': () => '/v1/price-book/1',
  '/v1/price-lists/:name': () => '/v1/price-lists/partners',
  '/v1/imports/:name': () => '/v1/imports/12345678',
  '/v1/cycles/:hour/sources': () => `/v1/cycles/${at(first, 0).slice(0, 13)}Z/sources`,
  '/api/v1/meters/:slug': () => '/api/v1/meters/StandardQueryL0',
  '/api/v1/meters/:slug/query': () =>
    `/api/v1/meters/StandardQueryL0/query?subject=acme&from=${at(first, 0)}&to=${at(now + 1, 0)}&windowSize=HOUR`,
}

describe('openapi.json', () => {
  beforeAll(async () => {
    const list = { method: 'POST', body: 'priceList: partners\ndiscount: "0.1"\n', type: 'application/yaml' }
    const published = await day.server.ask('/v1/price-lists/partners', list)
    if (published.status !== 201) throw new Error(published.text)
  })

  for (const { method, url, answers } of ROUTES.filter(
    ({ method, url, files }) =>
      method === 'GET' && url !== '/metrics' && !url.startsWith('/log/') && files === undefined,
  )) {
    test(`${method} ${url} answers what it says`, async () => {
      const json = await get(EXAMPLES[url]?.() ?? url)
      const schema = strict(answers[200]) as TSchema
      expect(Compile(schema).Errors(json)).toEqual([])
    })
  }

  test('names every route', async () => {
    const { openapi, paths } = await get('/openapi.json')
    expect(openapi).toBe('3.1.0')
    const documented = Object.keys(paths).sort()
    const ids = Object.values(paths as object).flatMap((path: Record<string, { operationId: string }>) =>
      Object.values(path).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ROUTES.length)
    expect(documented).toEqual(
      [...new Set(ROUTES.map(({ url }) => url.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')))].sort(),
    )
  })
})

/** The schema, and no members besides: what an answer has is documented. */
function strict(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(strict)
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]))
  const isClosed =
    copy['type'] === 'object' && copy['properties'] && copy['additionalProperties'] === undefined
  return isClosed ? { ...copy, additionalProperties: false } : copy
}
