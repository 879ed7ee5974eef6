import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatHourStart, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { KEY_CACHE_MS } from '../../src/flows/keys/find-key.ts'
import { isKeyText, newKeyText } from '../../src/flows/keys/key-text.ts'
import { SCOPES } from '../../src/flows/keys/key-scopes.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { type Answer, type Asking, requestEvent, testServer, type TestServer } from './http-server.ts'

/** All that belongs to the account `secret`. None of it may show in an answer to `other`. */
const SECRET = /secret|hidden/i

let server: TestServer
let billId: string
let secretKey: string
let otherKey: string
let senderKey: string

function secret(id: string, more: object = {}) {
  return requestEvent(id, { subject: 'secret', source: 'hidden', ...more })
}

beforeAll(async () => {
  server = await testServer()
  const hour = new Date(Date.now() - 50 * 3_600_000).toISOString()
  const { json } = await server.send([
    secret('hidden-1', { time: hour }),
    secret('hidden-2', { time: hour, data: { operation: 'HiddenOperation', status: 200 } }),
    secret('hidden-3', { time: hour, data: { operation: 'SimpleQuery', status: 200, project: 'hidden' } }),
    secret('hidden-4', { time: 'never' }),
    secret('hidden-5'),
  ])
  if (json.accepted !== 3 || json.held !== 1 || json.rejected !== 1) throw new Error(JSON.stringify(json))
  await server.settle()
  const bills = await server.ask('/v1/bills?account=secret')
  billId = bills.json.items[0].id
  secretKey = await server.key(['usage:read', 'usage:write', 'bills:read'], 'secret')
  otherKey = await server.key(['usage:read', 'usage:write', 'bills:read'], 'other')
  senderKey = await server.key(['usage:read', 'usage:write', 'bills:read'], 'sender')
})
afterAll(() => server.close())

interface Walk {
  /** Addresses that would show something of `secret` to a key that may see it. */
  readonly paths: (bill: string) => readonly string[]
  readonly init?: Asking
  /** What a key of `other` gets. */
  readonly status: number
}

const now = hourOf(Date.now() as Instant)
const [from, to] = [formatHourStart((now - 100) as Hour), formatHourStart((now + 2) as Hour)]

/** Every route, by method and URL. A route that is not here fails the test below. */
const WALKS: Readonly<Record<string, Walk>> = {
  'POST /v1/events': {
    paths: () => ['/v1/events'],
    init: {
      method: 'POST',
      body: JSON.stringify([requestEvent('hidden-1', { subject: 'secret', source: 'hidden' })]),
      type: 'application/json',
    },
    status: 200,
  },
  'POST /api/v1/events': {
    paths: () => ['/api/v1/events'],
    init: {
      method: 'POST',
      body: JSON.stringify(requestEvent('hidden-1', { subject: 'secret', source: 'hidden' })),
      type: 'application/json',
    },
    status: 400,
  },
  'POST /api/v3/openmeter/events': {
    paths: () => ['/api/v3/openmeter/events'],
    init: {
      method: 'POST',
      body: JSON.stringify([requestEvent('hidden-1', { subject: 'secret', source: 'hidden' })]),
      type: 'application/cloudevents-batch+json',
    },
    status: 400,
  },
  'GET /api/v1/meters/:slug/query': {
    paths: () => [`/api/v1/meters/StandardQueryL0/query?from=${from}&to=${to}&groupBy=project`],
    status: 200,
  },
  'POST /api/v1/meters/:slug/query': {
    paths: () => ['/api/v1/meters/StandardQueryL0/query'],
    init: {
      method: 'POST',
      body: JSON.stringify({ from, to, groupBy: ['project', 'subject'] }),
      type: 'application/json',
    },
    status: 200,
  },
  'POST /api/v1/events/batch': {
    paths: () => ['/api/v1/events/batch'],
    init: {
      method: 'POST',
      body: '{"events":[{"transaction_id":"hidden-1","external_subscription_id":"secret","code":"x"}]}',
      type: 'application/json',
    },
    status: 422,
  },
  'POST /v1/billing/meter_events': {
    paths: () => ['/v1/billing/meter_events'],
    init: {
      method: 'POST',
      body: 'event_name=x&identifier=hidden-1&payload[stripe_customer_id]=secret',
      type: 'application/x-www-form-urlencoded',
    },
    status: 400,
  },
  'GET /api/v1/meters': { paths: () => ['/api/v1/meters'], status: 200 },
  'GET /api/v1/meters/:slug': { paths: () => ['/api/v1/meters/StandardQueryL0'], status: 200 },
  'GET /v1/events': {
    paths: () => ['/v1/events?id=hidden-1', '/v1/events?id=hidden-4&source=hidden'],
    status: 200,
  },
  'GET /v1/bills/:id/proof': { paths: (bill) => [`/v1/bills/${bill}/proof`], status: 404 },
  'GET /v1/log': { paths: () => ['/v1/log'], status: 200 },
  'GET /log/checkpoint': { paths: () => ['/log/checkpoint'], status: 404 },
  'GET /log/tile/*': { paths: () => ['/log/tile/0/000.p/1', '/log/tile/entries/000.p/1'], status: 404 },
  'GET /v1/usage': {
    paths: () => [`/v1/usage?from=${from}&to=${to}&groupBy=project,operation`],
    status: 200,
  },
  'GET /v1/storage': { paths: () => ['/v1/storage'], status: 200 },
  'GET /v1/focus/charges': { paths: () => ['/v1/focus/charges?format=csv'], status: 200 },
  'GET /v1/exports/lines': { paths: () => ['/v1/exports/lines?format=csv'], status: 200 },
  'GET /v1/bills': { paths: () => ['/v1/bills'], status: 200 },
  'GET /v1/bills/:id': { paths: (bill) => [`/v1/bills/${bill}`], status: 404 },
  'GET /v1/bills/:id/lines': { paths: (bill) => [`/v1/bills/${bill}/lines`], status: 404 },
  'GET /v1/bills/:id/lines/:number/events': {
    paths: (bill) => [`/v1/bills/${bill}/lines/1/events`, `/v1/bills/${bill}/lines/99/events`],
    status: 404,
  },
  'GET /v1/cycles': { paths: () => ['/v1/cycles'], status: 200 },
  'GET /v1/sources': { paths: () => ['/v1/sources', `/v1/sources?from=${from}&to=${to}`], status: 200 },
  'GET /v1/cycles/:hour/sources': { paths: () => [`/v1/cycles/${from.slice(0, 13)}Z/sources`], status: 403 },
  'GET /v1/sources/silent': { paths: () => ['/v1/sources/silent'], status: 403 },
  'POST /v1/sources/silent/acknowledge': {
    paths: () => ['/v1/sources/silent/acknowledge'],
    init: { method: 'POST', body: '{"source":"hidden"}' },
    status: 403,
  },
  'GET /v1/manifests': { paths: () => ['/v1/manifests'], status: 403 },
  'POST /v1/manifests': {
    paths: () => ['/v1/manifests'],
    init: { method: 'POST', body: '{"source":"hidden","hour":"2025-07-28T03Z","events":1}' },
    status: 403,
  },
  'GET /v1/held-events': { paths: () => ['/v1/held-events'], status: 200 },
  'GET /v1/held-events/events': { paths: () => ['/v1/held-events/events'], status: 200 },
  'GET /v1/refused-events': { paths: () => ['/v1/refused-events'], status: 200 },
  'GET /v1/refused-events/counts': { paths: () => ['/v1/refused-events/counts'], status: 200 },
  'GET /v1/voids': { paths: () => ['/v1/voids'], status: 200 },
  'POST /v1/voids': {
    paths: () => ['/v1/voids'],
    init: { method: 'POST', body: '{"account":"secret","id":"hidden-1","reason":"x"}' },
    status: 403,
  },
  'GET /v1/price-book': { paths: () => ['/v1/price-book'], status: 200 },
  'GET /v1/price-book/:version': { paths: () => ['/v1/price-book/1'], status: 200 },
  'GET /v1/price-book/versions': { paths: () => ['/v1/price-book/versions'], status: 200 },
  'GET /v1/price-book/diff': { paths: () => ['/v1/price-book/diff'], status: 200 },
  'POST /v1/price-book': {
    paths: () => ['/v1/price-book', '/v1/price-book?dryRun=true'],
    init: { method: 'POST', body: 'priceBook: x', type: 'application/yaml' },
    status: 403,
  },
  'GET /v1/price-lists': { paths: () => ['/v1/price-lists'], status: 200 },
  'GET /v1/price-lists/:name': { paths: () => ['/v1/price-lists/secret'], status: 404 },
  'POST /v1/price-lists/:name': {
    paths: () => ['/v1/price-lists/secret', '/v1/price-lists/secret?dryRun=true'],
    init: { method: 'POST', body: 'priceList: secret', type: 'application/yaml' },
    status: 403,
  },
  'GET /v1/accounts': { paths: () => ['/v1/accounts'], status: 200 },
  'GET /v1/accounts/:account': { paths: () => ['/v1/accounts/secret'], status: 404 },
  'PUT /v1/accounts/:account': {
    paths: () => ['/v1/accounts/secret'],
    init: { method: 'PUT', body: '{"name":"x"}' },
    status: 403,
  },
  'GET /v1/audit-log': { paths: () => ['/v1/audit-log', '/v1/audit-log?account=secret'], status: 403 },
  'GET /v1/keys': { paths: () => ['/v1/keys'], status: 403 },
  'POST /v1/keys': {
    paths: () => ['/v1/keys'],
    init: { method: 'POST', body: '{"name":"x","scopes":["usage:read"],"account":"secret"}' },
    status: 403,
  },
  'DELETE /v1/keys/:id': {
    paths: () => ['/v1/keys/key_000000000000'],
    init: { method: 'DELETE' },
    status: 403,
  },
  'GET /v1/imports/:name': { paths: () => ['/v1/imports/12345678'], status: 403 },
  'POST /v1/imports/:name/end': {
    paths: () => ['/v1/imports/12345678/end'],
    init: { method: 'POST' },
    status: 403,
  },
  'GET /healthz': { paths: () => ['/healthz'], status: 200 },
  'GET /readyz': { paths: () => ['/readyz'], status: 200 },
  'GET /metrics': { paths: () => ['/metrics'], status: 403 },
  'GET /openapi.json': { paths: () => ['/openapi.json'], status: 200 },
}

/** Lists of what belongs to no account. */
const FOR_ALL = new Set(['GET /v1/cycles', 'GET /v1/price-book/versions'])

/** What is wrong with an event is told with its id: that of the sender's own event. */
const ECHOES = new Set(['POST /v1/events', 'POST /api/v1/events', 'POST /api/v3/openmeter/events'])

const named = ROUTES.map(({ method, url }) => `${method} ${url}`)

test('every route is walked below, and no other', () => {
  expect([...named].sort()).toEqual(Object.keys(WALKS).sort())
})

test('the server has no route besides them, but HEAD for each GET', () => {
  const heads = ROUTES.filter(({ method }) => method === 'GET').map(({ url }) => `HEAD ${url}`)
  expect([...server.server.registered].sort()).toEqual([...named, ...heads].sort())
})

describe('a key of one account sees nothing of another', () => {
  for (const [name, { paths, init, status }] of Object.entries(WALKS)) {
    test(`walked: ${name}`, async () => {
      for (const path of paths(billId)) {
        // Anyone who sends in the name of another sees that among its own refusals: not the key that reads here.
        const key = init?.method === 'POST' ? senderKey : otherKey
        const answer = await server.ask(path, { ...init, key })
        expect([path, answer.status]).toEqual([path, status])
        if (!ECHOES.has(name) && name !== 'GET /openapi.json')
          expect(answer.text.replaceAll(billId, '')).not.toMatch(SECRET)
        if (answer.json?.items && !FOR_ALL.has(name)) expect(answer.json.items).toEqual([])
      }
    })
  }

  test('foreign and unknown ids get the same answer', async () => {
    const unknown = billId.replace('secret', 'sacred')
    for (const rest of ['', '/lines', '/lines/1/events']) {
      const foreign = await server.ask(`/v1/bills/${billId}${rest}`, { key: otherKey })
      const missing = await server.ask(`/v1/bills/${unknown}${rest}`, { key: otherKey })
      expect([foreign.status, problemOf(foreign)]).toEqual([missing.status, problemOf(missing)])
    }
  })

  test('naming another account is 403, naming its own is fine', async () => {
    const range = `from=${from}&to=${to}`
    for (const path of [
      'bills?',
      `usage?${range}&`,
      'events?id=x&',
      'held-events?',
      'held-events/events?',
      'refused-events?',
      'refused-events/counts?',
    ]) {
      const foreign = await server.ask(`/v1/${path}account=secret`, { key: otherKey })
      expect([path, foreign.status, foreign.json.code]).toEqual([path, 403, 'auth/foreign_account'])
      expect((await server.ask(`/v1/${path}account=other`, { key: otherKey })).status).toBe(200)
    }
  })

  test('an event with a foreign subject is rejected, that event alone', async () => {
    const answer = await server.send(
      [requestEvent('1', { subject: 'secret' }), requestEvent('2', { subject: 'other' })],
      {
        key: otherKey,
      },
    )
    expect(answer.json).toMatchObject({ accepted: 1, rejected: 1 })
    expect(answer.json.problems[0]).toMatchObject({ index: 0, code: 'event/foreign_account' })
  })

  test('and its owner sees it', async () => {
    for (const path of [
      `/v1/bills/${billId}`,
      '/v1/bills',
      '/v1/events?id=hidden-1',
      '/v1/refused-events',
      '/v1/held-events',
    ]) {
      expect((await server.ask(path, { key: secretKey })).text).toMatch(SECRET)
    }
  })

  test('what another account sent in its name is not shown to it, but to that account', async () => {
    await server.send([requestEvent('intruder', { subject: 'secret' })], { key: otherKey })
    for (const path of ['refused-events', 'refused-events/counts', 'events?id=intruder']) {
      const read = async (key: string) => (await server.ask(`/v1/${path}`, { key })).text
      expect([path, await read(secretKey)]).toEqual([path, expect.not.stringContaining('foreign_account')])
      expect([path, await read(otherKey)]).toEqual([path, expect.stringContaining('foreign_account')])
    }
  })
})

describe('keys that are none', () => {
  const valid = newKeyText()
  const mistyped = `${valid.slice(0, 10)}${valid[10] === '7' ? '8' : '7'}${valid.slice(11)}`
  const HEADERS: Readonly<Record<string, [authorization: string | undefined, code: string]>> = {
    'no header': [undefined, 'auth/missing_key'],
    'an empty header': ['', 'auth/missing_key'],
    'another scheme': [`Basic ${valid}`, 'auth/malformed_key'],
    'no key behind the scheme': ['Bearer', 'auth/malformed_key'],
    'a mistyped key': [`Bearer ${mistyped}`, 'auth/malformed_key'],
    'another token': ['Bearer sk_live_123', 'auth/malformed_key'],
    'an unknown key': [`Bearer ${valid}`, 'auth/unknown_key'],
  }
  for (const [name, [authorization, code]] of Object.entries(HEADERS)) {
    test(`refused: ${name}`, async () => {
      for (const { method, url, access } of ROUTES) {
        const path = url.replace(/:\w+/g, '1')
        const headers = authorization === undefined ? {} : { authorization }
        const answer = await server.ask(path, { method, headers, key: undefined })
        if (access === 'open') {
          expect(answer.status).toBe(200)
          continue
        }
        expect([path, answer.status, codeOf(answer)]).toEqual([path, 401, code])
        expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="farthing"')
      }
    })
  }

  test('a text that is no key is told apart by its checksum', () => {
    expect([valid, mistyped, `${valid}0`, valid.slice(1), ''].map(isKeyText)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })

  test('unknown, expired and revoked keys get one and the same answer', async () => {
    const unknown = await server.ask('/v1/bills', { key: newKeyText() })
    const made = await post({
      name: 'short',
      scopes: ['bills:read'],
      expiresAt: new Date(Date.now() + 400).toISOString(),
    })
    expect((await server.ask('/v1/bills', { key: made.json.key })).status).toBe(200)
    const other = await post({ name: 'revoked', scopes: ['bills:read'] })
    expect((await server.ask(`/v1/keys/${other.json.id}`, { method: 'DELETE' })).status).toBe(204)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const revoked = await server.ask('/v1/bills', { key: other.json.key })
    // Revoking has emptied this process's memory of keys.
    const expired = await server.ask('/v1/bills', { key: made.json.key })
    expect([problemOf(expired), problemOf(revoked)]).toEqual([problemOf(unknown), problemOf(unknown)])
    expect(unknown.status).toBe(401)
    expect(KEY_CACHE_MS).toBeLessThanOrEqual(5_000)
  })
})

describe('scopes', () => {
  for (const scope of SCOPES) {
    test(`${scope} opens its own routes, and no others`, async () => {
      const key = await server.key([scope])
      for (const { method, url, access } of ROUTES) {
        if (access === 'open' || method === 'DELETE') continue
        const answer = await server.ask(url.replace(/:\w+/g, '1'), { method, key })
        const isAllowed = scope === 'admin' || access.scope === 'any' || access.scope === scope
        expect([url, answer.status === 403]).toEqual([url, !isAllowed])
        if (!isAllowed) expect(codeOf(answer)).toBe('auth/missing_scope')
      }
    })
  }
})

/** All that a problem says, but whose it is. */
function problemOf({ json }: Answer): object {
  return { ...json, requestId: undefined }
}

/** Stripe's shape has the code one level deeper. */
function codeOf({ json }: Answer): string {
  return json.code ?? json.error?.code
}

function post(body: object): Promise<Answer> {
  return server.ask('/v1/keys', { method: 'POST', body: JSON.stringify(body) })
}
