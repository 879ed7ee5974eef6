import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testServer, type TestServer } from './http-server.ts'

// Guarantee: a question about usage that cannot be answered is refused by name, with what to send.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

describe('refused', () => {
  test.each<[query: string, code: string, says: RegExp]>([
    ['from=2025-07-28T09:30Z&to=2025-07-29', 'request/invalid_parameter', /on the hour, or a date such as/],
    ['from=2025-07-28T00:00%2B05:30&to=2025-07-29', 'request/invalid_parameter', /with timeZone/],
    ['from=2025-07-29&to=2025-07-28', 'request/invalid_parameter', /not before from/],
    ['from=2025-02-30&to=2025-07-28', 'request/invalid_parameter', /from is "2025-02-30"/],
    ['from=2025-13&to=2026-07-28', 'request/invalid_parameter', /from is "2025-13"/],
    ['from=2025-07&to=2025-08&timeZone=Asia/Calcuta', 'request/invalid_parameter', /did you mean/],
    ['from=2025-07&to=2025-08&timeZone=%2B05:30', 'request/invalid_parameter', /IANA name/],
    ['from=2025-07&to=2025-08&groupBy=tag:', 'request/invalid_parameter', /tag:NAME/],
    ['from=2025-07&to=2025-08&groupBy=Item', 'request/invalid_parameter', /component, item/],
    ['from=2025-07&to=2025-08&filter=item', 'request/invalid_parameter', /GROUP=VALUE/],
    ['from=2025-07&to=2025-08&filter=unit%3Dcall', 'request/invalid_parameter', /GROUP is one of/],
    ['from=2025-07&to=2025-08&top=0', 'request/invalid_parameter', /from 1 to 1000/],
    ['from=2025-07&to=2025-08&top=ten', 'request/invalid_parameter', /from 1 to 1000/],
    ['from=2025-07&to=2025-08&order=quantity', 'request/invalid_parameter', /key, amount or -amount/],
    ['from=2025-07&to=2025-08&basis=cash', 'request/invalid_parameter', /usage or bill/],
    [
      'from=2025-07-01&to=2025-08&basis=bill&window=month',
      'request/invalid_parameter',
      /statement months, so send/,
    ],
    [
      'from=2025-07&to=2025-08&basis=bill&window=month&timeZone=UTC',
      'request/invalid_parameter',
      /leave it out/,
    ],
    ['from=2025-07&to=2025-08&compare=last', 'request/invalid_parameter', /previous, or a range/],
    ['from=2025-07&to=2025-08&compare=2025-08/2025-07', 'request/invalid_parameter', /not before from/],
    ['from=2025-07&to=2025-08&compare=previous&window=day', 'request/invalid_parameter', /none with compare/],
    ['from=2025-07&to=2025-09', 'request/range_too_long', /at most 32 days by hour/],
    ['from=2024-01&to=2025-07&window=day', 'request/range_too_long', /at most 368 days/],
    ['from=2001-01&to=2025-07&window=none', 'request/range_too_long', /at most 10 years/],
  ])('%s', async (query, code, says) => {
    const { status, json } = await server.ask(`/v1/usage?${query}`)
    expect([status, json.code, json.detail]).toEqual([400, code, expect.stringMatching(says)])
  })
})
