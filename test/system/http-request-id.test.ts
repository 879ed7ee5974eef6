import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { REQUEST_ID_LENGTH_MAX } from '../../src/http/request-id.ts'
import { type Asking, requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: every answer says which request it answers, by the client's own name for it if that can be one, and so do the
// problem in its body and what is logged about it.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

const json = 'application/json'
const post = (body: string, type = json): Asking => ({ method: 'POST', body, type })

/** Answers of every kind: where, how, status, and whether the body is a problem of RFC 9457. */
const ANSWERS: Readonly<
  Record<string, readonly [path: string, init: Asking, status: number, isProblem?: true]>
> = {
  'a list': ['/v1/bills', {}, 200],
  'an open route': ['/healthz', { key: undefined }, 200],
  'a HEAD': ['/v1/bills', { method: 'HEAD' }, 200],
  metrics: ['/metrics', {}, 200],
  'no key': ['/v1/bills', { key: undefined }, 401, true],
  'no such route': ['/v1/nothing', {}, 404, true],
  'another method': ['/v1/bills', { method: 'PATCH' }, 405, true],
  'a path that cannot be decoded': ['/v1/bills/%ff', {}, 400, true],
  'a part of the path that is too long': [`/v1/bills/${'a'.repeat(3000)}`, {}, 404, true],
  'an unknown parameter': ['/v1/bills?x=1', {}, 400, true],
  'no such bill': ['/v1/bills/x', {}, 404, true],
  'no JSON': ['/v1/events', post('{'), 400, true],
  'an event alone that is rejected': ['/v1/events', post('{}'), 400, true],
  'a batch with one that is rejected': ['/v1/events', post('[{}]'), 200],
  'another encoding': ['/v1/events', { ...post('{}'), headers: { 'content-encoding': 'br' } }, 415, true],
  'a body that is too large': ['/v1/keys', post('x'.repeat(70_000)), 413, true],
  'a price book with problems': ['/v1/price-book', post('priceBook: x', 'application/yaml'), 422, true],
  'events of OpenMeter': [
    '/api/v1/events',
    post('{"specversion":"1.0"}', 'application/cloudevents+json'),
    400,
    true,
  ],
  'events of Lago': ['/api/v1/events/batch', post('{}'), 400],
  'events of Stripe': ['/v1/billing/meter_events', post('a=b', 'application/x-www-form-urlencoded'), 400],
}

describe('the id that a client sends comes back', () => {
  for (const [name, [path, init, status, isProblem]] of Object.entries(ANSWERS)) {
    test(`with ${name}`, async () => {
      const id = 'my-request.1:a/b+c=d@e_F'
      const headers = { ...(init.headers as object), 'x-request-id': id }
      const answer = await server.ask(path, { ...init, headers })
      expect([answer.status, answer.headers.get('x-request-id')]).toEqual([status, id])
      if (isProblem) expect(answer.json.requestId).toBe(id)
    })
  }
})

describe('without one, each request has a name of its own', () => {
  for (const [name, [path, init, status, isProblem]] of Object.entries(ANSWERS)) {
    test(`with ${name}`, async () => {
      const [first, second] = [await server.ask(path, init), await server.ask(path, init)]
      expect([first.status, second.status]).toEqual([status, status])
      const [one, other] = [first, second].map(({ headers }) => headers.get('x-request-id'))
      expect(one).toMatch(/^[0-9a-f]{12}$/)
      expect(other).not.toBe(one)
      if (isProblem) expect([first.json.requestId, second.json.requestId]).toEqual([one, other])
    })
  }

  for (const [name, sent] of Object.entries({
    'an empty one': '',
    blanks: 'a b',
    'a quote': 'a"b',
    'a comma': 'a,b',
    'an escape for terminals': 'a\u009b31m',
    'letters of others': 'é',
    'too long a one': 'a'.repeat(REQUEST_ID_LENGTH_MAX + 1),
  })) {
    test(`${name} is no name`, async () => {
      const { headers } = await server.ask('/healthz', { headers: { 'x-request-id': sent } })
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}$/)
    })
  }

  test('the longest one is', async () => {
    const sent = 'a'.repeat(REQUEST_ID_LENGTH_MAX)
    const { headers } = await server.ask('/healthz', { headers: { 'x-request-id': sent } })
    expect(headers.get('x-request-id')).toBe(sent)
  })

  test('what is no HTTP request has one, too', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.end('nonsense\r\n\r\n')
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    const [head, body] = answer.split('\r\n\r\n')
    const [, id] = /^x-request-id: ([0-9a-f]{12})$/m.exec(head!)!
    expect(JSON.parse(body!)).toMatchObject({ code: 'request/malformed_http', requestId: id })
  })
})

test('a bug is logged and answered under the id that the client sent', async () => {
  const ingest: Ingest = {
    submit: async () => {
      throw new Error('a bug')
    },
    close: async () => {},
  }
  const broken = await testServer({ ingest })
  const headers = { 'x-request-id': 'find-me-1' }
  const answer = await broken.send([requestEvent('1')], { headers })
  expect(answer.json).toMatchObject({ code: 'service/bug', requestId: 'find-me-1' })
  expect(answer.json.detail).toContain('find-me-1')
  expect(broken.logged.at(-1)?.fields).toMatchObject({ requestId: 'find-me-1' })
  await broken.close()
})
