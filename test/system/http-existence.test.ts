import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { billId } from '../../src/core/bill/bill-id.ts'
import { type Day, FIRST_BILL, first, makeDay } from './http-day.ts'

// Guarantee: a key of one account cannot tell, not even by the time of an answer, whether there is something of another
// account: the database is asked the same number of questions, whatever the id means.

let day: Day
let key: string
beforeAll(async () => {
  day = await makeDay()
  key = await day.server.key(['usage:read', 'bills:read'], 'other')
})
afterAll(() => day.server.close())
afterEach(() => vi.restoreAllMocks())

const THERE = FIRST_BILL
/** Ids of what a key of `other` cannot see. */
const IDS: Readonly<Record<string, string>> = {
  'a bill of another account': THERE,
  'its bill of an hour without one': billId('acme', (first - 9) as typeof first),
  'a bill of an account that there is not': THERE.replace('acme', 'acmf'),
  'an account with escapes': billId('acme & söhne', first),
  'small letters in an escape': billId('acme&', first).replace('~26', '~2f'),
  'an escape that is not UTF-8': `${THERE.slice(0, 15)}~ff`,
  'no account': THERE.slice(0, 15),
  'no id at all': 'x',
  'an hour that there is not': THERE.replace(/T\d\d/, 'T25'),
  'an account of 300 bytes': billId('a'.repeat(300), first),
  'an id with a blank': '%20',
}

/**
 * How often the database is asked for an answer, and the answer without the name of its request. Keys are remembered for
 * some seconds and then looked up again, which has nothing to do with the id: the smaller of two counts is without it.
 */
async function observe(path: string) {
  await day.server.ask(path, { key })
  const [first, second] = [await countQueries(path), await countQueries(path)]
  return { ...first, queries: Math.min(first.queries, second.queries) }
}

async function countQueries(path: string) {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  const { status, json } = await day.server.ask(path, { key })
  const queries = query.mock.calls.length
  query.mockRestore()
  return { status, queries, problem: { ...json, requestId: undefined } }
}

describe('the same answer, of as many questions to the database', () => {
  for (const rest of ['', '/lines', '/lines/1/events', '/lines/99/events', '/lines?limit=1']) {
    test(`/v1/bills/{id}${rest}`, async () => {
      const expected = await observe(`/v1/bills/${THERE}${rest}`)
      expect([expected.status, expected.queries]).toEqual([404, 0])
      for (const [name, id] of Object.entries(IDS))
        expect([name, await observe(`/v1/bills/${id}${rest}`)]).toEqual([name, expected])
    })
  }

  test('/v1/accounts/{account}', async () => {
    const expected = await observe('/v1/accounts/acme')
    expect([expected.status, expected.queries]).toEqual([404, 0])
    for (const account of ['acmf', 'x'.repeat(300), '%20', 'Acme'])
      expect([account, await observe(`/v1/accounts/${account}`)]).toEqual([account, expected])
  })

  for (const path of [
    '/v1/bills?account=',
    '/v1/usage?from=2025-07-28&to=2025-07-29&account=',
    '/v1/storage?account=',
    '/v1/events?id=q0&account=',
    '/v1/sources?account=',
    '/v1/held-events?account=',
    '/v1/held-events/events?account=',
    '/v1/refused-events?account=',
    '/v1/refused-events/counts?account=',
    '/v1/voids?account=',
    '/api/v1/meters/StandardQueryL0/query?subject=',
  ]) {
    test(`${path}{account}`, async () => {
      const expected = await observe(`${path}acme`)
      expect(expected.status).toBe(403)
      for (const account of ['acmf', 'never-there', 'x'.repeat(300), 'Acme'])
        expect([account, await observe(`${path}${account}`)]).toEqual([account, expected])
    })
  }
})
