import { gunzipSync } from 'node:zlib'
import { request as ask } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billId } from '../../src/core/bill/bill-id.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { type Day, FIRST_BILL, first, makeDay, request } from './http-day.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'

// Guarantees: what never changes can be kept by clients, and is asked for again without being sent again; answers are packed
// for those that take them packed, and are the same bytes once unpacked; HEAD says what GET would.

let day: Day
beforeAll(async () => {
  day = await makeDay()
})
afterAll(() => day.server.close())

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** As it comes: fetch unpacks, and adds headers of its own. */
async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  const authorization = `Bearer ${day.server.adminKey}`
  const answer = await ask(day.server.url + path, { method, headers: { authorization, ...headers } })
  const body = Buffer.from(await answer.body.arrayBuffer())
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body }
}

const NEVER_CHANGE: Readonly<Record<string, string>> = {
  'a bill': `/v1/bills/${FIRST_BILL}`,
  'its lines': `/v1/bills/${FIRST_BILL}/lines`,
  'a page of its lines': `/v1/bills/${FIRST_BILL}/lines?limit=1`,
  'a version of the price book': '/v1/price-book/1',
}

for (const [name, path] of Object.entries(NEVER_CHANGE)) {
  describe(`${name} has a tag`, () => {
    test('that is strong and made of its digest, and may be kept', async () => {
      const { status, headers, body } = await get(path)
      const digest = (JSON.parse(String(body)) as { digest?: string }).digest
      const { json } = await day.server.ask(`/v1/bills/${FIRST_BILL}`)
      expect(status).toBe(200)
      expect(headers['etag']).toMatch(/^"[0-9a-f-]{64,}"$/)
      expect(headers['etag']).toContain(digest ?? json.digest)
      expect(headers['cache-control']).toBe('private, max-age=86400, immutable')
      expect(headers['vary']).toBe('authorization, accept-encoding')
    })

    test('with which it is not sent again', async () => {
      const { headers } = await get(path)
      const packed = await get(path, { 'accept-encoding': 'gzip' })
      const tag = headers['etag']!
      for (const known of [
        tag,
        packed.headers['etag']!,
        `W/${tag}`,
        `"other", ${tag}`,
        `${tag},"other"`,
        '*',
      ]) {
        for (const method of ['GET', 'HEAD']) {
          for (const encoding of ['identity', 'gzip']) {
            const again = await get(path, { 'if-none-match': known, 'accept-encoding': encoding }, method)
            expect([known, again.status, again.body.length]).toEqual([known, 304, 0])
            expect(again.headers).toMatchObject({
              etag: tag,
              'cache-control': headers['cache-control'],
              vary: headers['vary'],
            })
            expect(again.headers['content-encoding']).toBeUndefined()
            expect(again.headers['content-type']).toBeUndefined()
          }
        }
      }
    })

    test('without which it is', async () => {
      for (const other of ['"other"', '', 'nonsense', `"${'0'.repeat(64)}"`, 'W/"x-gzip"']) {
        expect([other, (await get(path, { 'if-none-match': other })).status]).toEqual([other, 200])
      }
    })
  })
}

test('the tag of a bill shows it to nobody else', async () => {
  const { headers } = await get(`/v1/bills/${FIRST_BILL}`)
  const key = await day.server.key(['bills:read'], 'other')
  for (const [authorization, status] of [
    [`Bearer ${key}`, 404],
    ['', 401],
  ] as const) {
    for (const path of [`/v1/bills/${FIRST_BILL}`, `/v1/bills/${FIRST_BILL}/lines`]) {
      const answer = await get(path, { 'if-none-match': headers['etag']!, authorization })
      expect([path, answer.status, answer.headers['etag'], answer.headers['cache-control']]).toEqual([
        path,
        status,
        undefined,
        undefined,
      ])
    }
  }
  expect((await get('/v1/price-book/2', { 'if-none-match': '*' })).status).toBe(404)
})

test('a bill is found, and tagged, however its id is written', async () => {
  await day.server.send([{ ...request('dotted', first + 1), subject: 'a.b' }])
  await day.server.settle()
  const id = billId('a.b', (first + 1) as Hour)
  const [one, two] = [await get(`/v1/bills/${id}`), await get(`/v1/bills/${id.replace('~2E', '~2e')}`)]
  expect([two.status, two.headers['etag'], String(two.body)]).toEqual([
    200,
    one.headers['etag'],
    String(one.body),
  ])
  expect((JSON.parse(String(two.body)) as { id: string }).id).toContain('a~2Eb')
})

test('the newest price book is asked for again, and sent again once it is another', async () => {
  const before = await get('/v1/price-book')
  expect(before.headers['cache-control']).toBe('private, no-cache')
  const known = { 'if-none-match': before.headers['etag']! }
  expect((await get('/v1/price-book', known)).status).toBe(304)
  const items = { Novel: itemOf({ default: rateOf('Novel', 'call') }) }
  await publishTypes(day.server, { novel: typeOf('Novel', 'call', 1) }, items)
  const after = await get('/v1/price-book', known)
  expect([after.status, after.headers['etag'] === before.headers['etag']]).toEqual([200, false])
  expect((await get('/v1/price-book/1', known)).status).toBe(304)
})

describe('answers are packed', () => {
  const PATHS = [
    '/v1/price-book',
    '/v1/price-book/1',
    '/v1/bills?limit=1000',
    `/v1/bills/${FIRST_BILL}`,
    '/openapi.json',
    '/metrics',
  ]

  for (const path of PATHS) {
    test(`for those who take it: ${path}`, async () => {
      const [plain, packed] = [await get(path), await get(path, { 'accept-encoding': 'br, gzip;q=0.5' })]
      expect([plain.headers['content-encoding'], packed.headers['content-encoding']]).toEqual([
        undefined,
        'gzip',
      ])
      expect(packed.headers['vary']).toContain('accept-encoding')
      expect(plain.headers['vary']).toContain('accept-encoding')
      expect(packed.body.length).toBeLessThan(plain.body.length / 2)
      if (path !== '/metrics') expect(String(gunzipSync(packed.body))).toBe(String(plain.body))
      if (plain.headers['etag'])
        expect(packed.headers['etag']).toBe(plain.headers['etag'].replace(/"$/, '-gzip"'))
    })
  }

  test('for nobody else', async () => {
    for (const accept of ['', 'identity', 'br', 'gzip;q=0', 'nonsense']) {
      const { status, headers, body } = await get('/v1/price-book', { 'accept-encoding': accept })
      expect([accept, status, headers['content-encoding'], body.length > 1024]).toEqual([
        accept,
        200,
        undefined,
        true,
      ])
    }
  })

  test('unless they are tiny', async () => {
    for (const path of ['/healthz', '/v1/keys?limit=1', '/v1/nothing', '/v1/bills?x=1']) {
      const { headers, body } = await get(path, { 'accept-encoding': 'gzip' })
      expect([path, headers['content-encoding'], body.length < 1024]).toEqual([path, undefined, true])
    }
  })

  test('long problems too, and the answers to posts', async () => {
    const events = Array.from({ length: 50 }, () => ({}))
    const answer = await day.server.send(events)
    expect([answer.headers.get('content-encoding'), answer.json.rejected]).toEqual(['gzip', 50])
  })

  test('HEAD answers the headers of GET, and nothing else', async () => {
    for (const path of PATHS) {
      const own = { 'accept-encoding': 'identity' }
      const [head, whole] = [await get(path, own, 'HEAD'), await get(path, own)]
      expect([path, head.status, head.body.length]).toEqual([path, 200, 0])
      for (const name of ['etag', 'cache-control', 'content-type', 'vary', 'content-encoding']) {
        expect([path, name, head.headers[name]]).toEqual([path, name, whole.headers[name]])
      }
      const packed = await get(path, { 'accept-encoding': 'gzip' }, 'HEAD')
      expect([path, packed.status, packed.body.length]).toEqual([path, 200, 0])
    }
  })
})
