import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** The book of a demo, as it is published already: version 1. */
const SOURCE = readFileSync(new URL('../../price-books/imm.yaml', import.meta.url), 'utf8')
const PRICE = 'price: "0.028"'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

const knowing = (...names: string[]) =>
  SOURCE.replace('\noperations:\n', `\noperations:\n${names.map((name) => `  - ${name}\n`).join('')}`)

function post(body: string | Uint8Array<ArrayBuffer>, query = '', init: object = {}) {
  return server.ask(`/v1/price-book${query}`, { method: 'POST', body, type: 'application/yaml', ...init })
}

test('a version is published, and events are judged by it at once', async () => {
  const held = await server.send(requestEvent('1', { data: { operation: 'Fresh', status: 200 } }))
  expect(held.json).toMatchObject({ held: 1 })
  const answer = await post(knowing('Fresh'), '?basedOn=1')
  expect(answer.status).toBe(201)
  expect(answer.json).toMatchObject({
    version: 2,
    basedOn: 1,
    published: true,
    changes: [{ kind: 'operations_known', names: ['Fresh'], item: null, from: null }],
    violations: [],
  })
  expect(answer.json.remarks[0]).toMatchObject({
    code: 'price_book/illustrative_prices',
    line: expect.any(Number),
    fix: 'use the book for demos only',
  })
  expect(new Date(answer.json.firstOpenHour).getTime()).toBeGreaterThan(Date.now())
  const sent = await server.send(requestEvent('2', { data: { operation: 'Fresh', status: 200 } }))
  expect(sent.json).toMatchObject({ accepted: 1 })
  expect((await server.ask('/v1/price-book')).json.version).toBe(2)
})

test('the same again is 200 and no new version, so a repeat is harmless', async () => {
  const answer = await post(knowing('Fresh'), '?basedOn=1')
  expect([answer.status, answer.json.published, answer.json.version, answer.json.changes]).toEqual([
    200,
    false,
    2,
    [],
  ])
})

test('a dry run stores nothing, and lists what stands against it with its place', async () => {
  const changed = knowing('Fresh').replace(PRICE, 'price: "0.029"')
  const line = changed.slice(0, changed.indexOf('price: "0.029"')).split('\n').length
  const answer = await post(changed, '?dryRun=true')
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ version: 3, basedOn: 2, published: false })
  expect(answer.json.changes[0]).toMatchObject({ kind: 'price_changed', was: '0.028', becomes: '0.029' })
  expect(answer.json.violations).toMatchObject([
    {
      code: 'price_book/changed_price',
      line,
      was: '0.028',
      becomes: '0.029',
      hour: answer.json.changes[0].from,
    },
  ])
  expect((await server.ask('/v1/price-book')).json.version).toBe(2)
})

test('what changes hours that have begun is 409, with every place', async () => {
  const changed = knowing('Fresh').replace(PRICE, 'price: "0.029"').replace('currency: USD', 'currency: EUR')
  const answer = await post(changed)
  expect([answer.status, answer.json.code, answer.headers.get('content-type')]).toEqual([
    409,
    'price_book/changes_past',
    'application/problem+json; charset=utf-8',
  ])
  expect(answer.json.problems.map((problem: { code: string }) => problem.code).toSorted()).toEqual([
    'price_book/changed_currency',
    'price_book/changed_price',
  ])
  expect(answer.json.detail).toMatch(
    /^Nothing changes for an hour that has begun, and this would, in 2 places/,
  )
})

test('what is no price book is 422, with every problem and its line', async () => {
  const answer = await post('priceBook: x\ncurrency: EURO\nitem: {}\n')
  expect([answer.status, answer.json.code]).toEqual([422, 'price_book/invalid'])
  expect(answer.json.problems).toMatchObject([
    { code: 'price_book/unknown_currency', line: 2, column: 11 },
    { code: 'price_book/unknown_key', line: 3, column: 1, fix: 'write items' },
  ])
  const empty = await post('')
  expect([empty.status, empty.json.code]).toEqual([422, 'price_book/invalid'])
  const large = await post(`#${' '.repeat(1_000_000)}`)
  expect([large.status, large.json.problems[0].code]).toEqual([422, 'price_book/too_large'])
  expect((await post('#'.repeat(2 * 1024 * 1024 + 1))).status).toBe(413)
})

test('a version that is not the newest is 409, and the newest is named', async () => {
  const answer = await post(knowing('Fresh', 'More'), '?basedOn=1')
  expect([answer.status, answer.json.code, answer.json.newest]).toEqual([409, 'price_book/newer_version', 2])
  expect((await post(knowing('Fresh', 'More'), '?basedOn=9')).status).toBe(404)
  expect((await post(knowing('Fresh', 'More'), '?basedOn=x')).json.code).toBe('request/invalid_parameter')
  expect((await post(knowing('Fresh', 'More'), '?dryRun=yes')).json.code).toBe('request/invalid_parameter')
})

test('another content type is refused, and a key without the scope', async () => {
  const form = await post(SOURCE, '', { type: 'application/x-www-form-urlencoded' })
  expect([form.status, form.json.code]).toEqual([415, 'request/unsupported_media_type'])
  const reader = await server.key(['usage:read', 'usage:write', 'bills:read'])
  expect((await post(SOURCE, '', { key: reader })).json.code).toBe('auth/missing_scope')
  const publisher = await server.key(['prices:write'])
  expect((await post(knowing('Fresh'), '', { key: publisher })).status).toBe(200)
})

test('versions are listed newest first, by page, each with who published it', async () => {
  const publisher = await server.key(['prices:write'])
  await post(knowing('Fresh', 'More'), '', { key: publisher })
  const first = await server.ask('/v1/price-book/versions?limit=2')
  expect(first.json.items.map(({ version }: { version: number }) => version)).toEqual([3, 2])
  expect(first.json.items[0].publishedBy).toMatch(/^key_/)
  const rest = await server.ask(`/v1/price-book/versions?limit=2&cursor=${first.json.next}`)
  expect(rest.json).toMatchObject({ items: [{ version: 1, publishedBy: 'first start' }], next: null })
  expect(rest.json.items[0].remarks[0]).toMatchObject({ code: 'price_book/illustrative_prices' })
  const { json } = await server.ask('/v1/price-book/3')
  expect(first.json.items[0].digest).toBe(json.digest)
  const { rows } = await server.database.pool.query<{ book: string; source: string }>(
    'select book, source from price_version where version = 3',
  )
  expect(createHash('sha256').update(rows[0]!.book).digest('hex')).toBe(json.digest)
  expect(rows[0]!.source).toBe(knowing('Fresh', 'More'))
})

test('the difference between two versions; by default the newest and the one before', async () => {
  const newest = await server.ask('/v1/price-book/diff')
  expect(newest.json).toEqual({
    from: 2,
    to: 3,
    changes: [
      {
        kind: 'operations_known',
        names: ['More'],
        component: null,
        item: null,
        rate: null,
        from: null,
        to: null,
        fromNextMonth: false,
        was: null,
        becomes: null,
      },
    ],
  })
  expect((await server.ask('/v1/price-book/diff?from=1&to=3')).json.changes).toMatchObject([
    { names: ['Fresh', 'More'] },
  ])
  expect((await server.ask('/v1/price-book/diff?from=3&to=1')).json.changes).toMatchObject([
    { kind: 'operations_unknown' },
  ])
  const none = await server.ask('/v1/price-book/diff?from=9')
  expect([none.status, none.json.code]).toEqual([404, 'price/version_not_found'])
  const other = await server.key(['usage:read'], 'acme')
  expect((await server.ask('/v1/price-book/diff', { key: other })).status).toBe(200)
})
