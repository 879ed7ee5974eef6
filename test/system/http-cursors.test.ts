import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCursor, writeCursor } from '../../src/http/api/cursor.ts'
import { LAST_HOUR } from '../../src/http/api/parameters.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { type Day, FIRST_BILL, first, makeDay } from './http-day.ts'
import type { Answer } from './http-server.ts'

// Guarantee: a cursor is what an answer gave, byte by byte. Any other is a 400 that says so, and never an error of the
// database, whatever stands in it.

let day: Day
beforeAll(async () => {
  day = await makeDay()
})
afterAll(() => day.server.close())

/** What no part of a position of this kind can be. */
const WRONG = {
  hour: [-1, 1.5, LAST_HOUR + 1, 2 ** 31, 2 ** 53, 1e300, -(2 ** 31) - 1, '5', null, true, [], {}],
  bucket: [-1, 0.5, 256, 32_768, -32_769, 2 ** 31, 2 ** 53, '5', null, false, [1], {}],
  number: [-1, 1.5, 2 ** 31, 2 ** 53, 1e300, -(2 ** 31) - 1, '5', null, true, [], {}],
  serial: [-1, 1.5, 2 ** 53, 1e300, -(2 ** 53), '5', null, true, [], {}],
  instant: [-1, 1.5, 253_402_300_800_001, 2 ** 53, 1e300, '5', null, true, [], {}],
  rest: [-2, 1.5, 2 ** 31, 2 ** 53, '5', null, true, [], {}],
  text: [5, -1, 2 ** 53, null, true, [], {}, '\0', 'a\0b', '\ud800', '\udc00a'],
} as const

type Kind = keyof typeof WRONG

const GOOD: Readonly<Record<Kind, string | number>> = {
  hour: first,
  bucket: 7,
  number: 1,
  serial: 5,
  instant: 1_753_671_600_000,
  rest: -1,
  text: 'a',
}

interface List {
  readonly path: string
  readonly name: string
  readonly kinds: readonly Kind[]
  readonly body?: string
  /** Of the answer to a cursor of the right form; 200 unless said. */
  readonly status?: number
}

const TEXTS = (count: number): readonly Kind[] => Array.from({ length: count }, () => 'text')
const HOUR = new Date(first * 3_600_000).toISOString().slice(0, 13) + 'Z'
const RANGE = `from=${HOUR}&to=${new Date((first + 2) * 3_600_000).toISOString()}`
const VOID = JSON.stringify({
  account: 'acme',
  from: HOUR,
  to: `${HOUR.slice(0, 13)}:30:00Z`,
  reason: 'x',
})

/** Every list of the API. A route with a cursor that is not here fails the test below. */
const LISTS: Readonly<Record<string, List>> = {
  // The figures are not those of the digest in it.
  'GET /v1/usage': {
    path: `/v1/usage?${RANGE}`,
    name: 'usage',
    kinds: ['instant', 'number', 'text'],
    status: 410,
  },
  'GET /v1/storage': { path: '/v1/storage?account=acme', name: 'storage', kinds: TEXTS(3) },
  'GET /v1/bills': { path: '/v1/bills?', name: 'bills', kinds: ['hour', 'bucket', 'text'] },
  'GET /v1/bills/:id/lines': { path: `/v1/bills/${FIRST_BILL}/lines?`, name: 'lines', kinds: ['number'] },
  'GET /v1/bills/:id/lines/:number/events': {
    path: `/v1/bills/${FIRST_BILL}/lines/1/events?`,
    name: 'line events',
    kinds: TEXTS(2),
  },
  'GET /v1/cycles': { path: '/v1/cycles?', name: 'cycles', kinds: ['hour'] },
  'GET /v1/cycles/:hour/sources': {
    path: `/v1/cycles/${HOUR}/sources?`,
    name: 'hour-sources',
    kinds: TEXTS(1),
  },
  'GET /v1/sources': { path: '/v1/sources?', name: 'sources', kinds: TEXTS(1) },
  'GET /v1/sources/silent': { path: '/v1/sources/silent?', name: 'silent-sources', kinds: TEXTS(1) },
  'GET /v1/manifests': { path: '/v1/manifests?', name: 'manifests', kinds: ['hour', 'text', 'number'] },
  'GET /v1/held-events': { path: '/v1/held-events?', name: 'held', kinds: TEXTS(2) },
  'GET /v1/held-events/events': {
    path: '/v1/held-events/events?',
    name: 'held events',
    kinds: ['hour', 'bucket', ...TEXTS(3)],
  },
  'GET /v1/refused-events': { path: '/v1/refused-events?', name: 'refused', kinds: ['serial'] },
  'GET /v1/refused-events/counts': { path: '/v1/refused-events/counts?', name: 'refusals', kinds: TEXTS(4) },
  'GET /v1/voids': { path: '/v1/voids?', name: 'voids', kinds: ['hour', 'bucket', ...TEXTS(3)] },
  'POST /v1/voids': { path: '/v1/voids?dryRun=true', name: 'void', kinds: ['hour', ...TEXTS(2)], body: VOID },
  'GET /v1/price-book/versions': {
    path: '/v1/price-book/versions?',
    name: 'price-versions',
    kinds: ['number'],
  },
  'GET /v1/accounts': { path: '/v1/accounts?', name: 'accounts', kinds: TEXTS(1) },
  'GET /v1/keys': { path: '/v1/keys?', name: 'keys', kinds: ['serial', 'text'] },
  'GET /v1/audit-log': { path: '/v1/audit-log?', name: 'audit log', kinds: ['serial'] },
}

function ask({ path, body }: List, cursor: string): Promise<Answer> {
  const url = `${path}${path.endsWith('?') ? '' : '&'}cursor=${encodeURIComponent(cursor)}`
  return day.server.ask(url, body === undefined ? {} : { method: 'POST', body, type: 'application/json' })
}

/** As `writeCursor`, of what it would never write. */
function written(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

test('every route with a cursor is tried, and no other', () => {
  const paged = ROUTES.filter(({ query }) => Object.hasOwn(query?.properties ?? {}, 'cursor'))
  expect(Object.keys(LISTS).sort()).toEqual(paged.map(({ method, url }) => `${method} ${url}`).sort())
})

async function expectRefused(list: List, cursor: string, what: unknown): Promise<void> {
  const { status, json } = await ask(list, cursor)
  expect([list.path, what, status, json.code]).toEqual([list.path, what, 400, 'request/invalid_cursor'])
}

describe('a cursor', () => {
  for (const [route, list] of Object.entries(LISTS)) {
    const { name, kinds } = list
    const good = kinds.map((kind) => GOOD[kind])

    test(`with a part that its kind cannot be is 400: ${route}`, async () => {
      expect((await ask(list, writeCursor(name, good)!)).status).toBe(list.status ?? 200)
      for (const [index, kind] of kinds.entries()) {
        for (const wrong of WRONG[kind]) {
          const parts = good.map((part, at) => (at === index ? wrong : part))
          await expectRefused(list, written([name, ...parts]), wrong)
        }
      }
    })

    test(`in another form is 400: ${route}`, async () => {
      const cursor = writeCursor(name, good)!
      for (const other of [
        'x',
        '!!!',
        'null',
        written(null),
        written({}),
        written('x'),
        written([]),
        written([name]),
        written([name, ...good, 1]),
        written([name, ...good.slice(1)]),
        written(['other', ...good]),
        written([[name], ...good]),
        Buffer.from(JSON.stringify([name, ...good], null, 1)).toString('base64url'),
        Buffer.from(`${JSON.stringify([name, ...good])} `).toString('base64url'),
        `${cursor}=`,
        `${cursor}A`,
        ` ${cursor}`,
        cursor.slice(0, -2),
        cursor.repeat(2),
        Buffer.from(JSON.stringify([name, ...good]).replace(/\d+(?=[,\]])/, '-0')).toString('base64url'),
        Buffer.from(JSON.stringify([name, ...good]).replace(/\d+(?=[,\]])/, '1e400')).toString('base64url'),
        '[['.repeat(1000),
      ]) {
        if (other === cursor || other === written([name, ...good])) continue
        // A position of texts alone has no number to change.
        await expectRefused(list, other, other)
      }
    })

    test(`at the ends of its ranges is a cursor: ${route}`, async () => {
      const ends = { hour: [0, LAST_HOUR], bucket: [0, 255], number: [0, 2 ** 31 - 1] }
      const more = {
        serial: [0, 2 ** 53 - 1],
        text: ['', '\u{10ffff}'.repeat(127)],
        instant: [0, 1_753_671_600_000],
        rest: [-1],
      }
      for (const at of [0, 1]) {
        const parts = kinds.map((kind) => ({ ...ends, ...more })[kind][at]!)
        const { status, text } = await ask(list, writeCursor(name, parts)!)
        expect([route, parts, status, text]).toEqual([route, parts, list.status ?? 200, expect.anything()])
      }
    })
  }

  test('of what is behind a line of stored data has the same bounds', () => {
    const kinds = ['text', 'text', 'text', 'instant', 'text', 'text', 'rest'] as const
    const good = kinds.map((kind) => GOOD[kind])
    expect(readCursor('levels', kinds, writeCursor('levels', good)!)).toEqual(good)
    for (const [index, kind] of kinds.entries()) {
      for (const wrong of WRONG[kind]) {
        const parts = good.map((part, at) => (at === index ? wrong : part))
        expect(() => readCursor('levels', kinds, written(['levels', ...parts]))).toThrow(
          'cursor is not one of this list',
        )
      }
    }
  })

  test('is never a bug', () => {
    expect(day.server.logged).toEqual([])
  })
})
