import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatHour, type Hour } from '../../src/core/time/hour.ts'
import { table } from '../table.ts'
import { at, now } from './http-day.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'

// Guarantee: GET /v1/sources counts the lines that bills charge a source's events on, whatever their form: the price book
// says how data is read, and nothing else does.

const first = (now - 6) as Hour

const EVENT_TYPES = {
  prompt: typeOf('Prompt', 'token', 'tokens'),
  api_calls: typeOf('Call', 'call', 1),
  'com.acme.read': { component: 'request', operation: 'SimpleQuery' },
  'com.acme.query': { component: 'request' },
  'com.acme.kept': { component: 'storage' },
  both: { component: 'processing', operation: 'Mix', quantities: { token: 'in', call: 1 } },
}

/** Sent once in an open hour, and once more when that hour is billed: the source's name is that of its form. */
const FORMS = table<'form' | 'type' | 'data' | 'lines' | 'late'>(`
  form       | type               | data                                                                        | lines | late
  builtin    | farthing.request   | {"operation":"SimpleQuery","status":200}                                    | 2     | 1
  waived     | farthing.request   | {"operation":"SimpleQuery","status":503,"region":"eu"}                      | 2     | 1
  half       | farthing.request   | {"operation":"SemanticQuery","status":200}                                  | 2     | 1
  no-fee     | farthing.request   | {"operation":"GetProject","status":200}                                     | 0     | 0
  no-project | farthing.request   | {"operation":"SimpleQuery","status":200,"project":""}                       | 2     | 1
  faces      | farthing.processing | {"operation":"DetectImageFaces","mode":"sync","quantities":{"call":2}}     | 2     | 1
  level      | farthing.storage   | {"dataset":"d","bytes":"5000000000"}                                        | 2     | 1
  field      | prompt             | {"tokens":"120"}                                                            | 2     | 1
  foreign-op | prompt             | {"tokens":"120","operation":"anything else","project":"p"}                  | 2     | 1
  counted    | api_calls          | {"anything":[1]}                                                            | 2     | 1
  own-op     | com.acme.read      | {"status":200}                                                              | 2     | 1
  named-op   | com.acme.query     | {"operation":"SimpleQuery","status":404}                                    | 2     | 1
  kept       | com.acme.kept      | {"bytes":"5000000000","project":"q"}                                        | 2     | 1
  two-units  | both               | {"in":"3"}                                                                  | 4     | 2
  held       | novel              | {"operation":"SimpleQuery","status":200}                                    | 0     | 0
  odd        | farthing.request   | {"operation":"SimpleQuery","status":200,"note":"a\\u0001","x":{"operation":1}} | 2   | 1
`)

let server: TestServer
beforeAll(async () => {
  server = await testServer({ firstHour: first })
  await publishTypes(server, EVENT_TYPES, {
    Tokens: itemOf({ default: rateOf('Prompt', 'token') }),
    Calls: itemOf({ default: rateOf('Call', 'call') }),
    MixTokens: itemOf({ default: rateOf('Mix', 'token') }),
    MixCalls: itemOf({ default: rateOf('Mix', 'call') }),
  })
  await send('own')
  await settle(first + 3)
  await send('late')
  await settle(first + 5)
}, 60_000)
afterAll(() => server.close())

async function send(id: string): Promise<void> {
  const events = FORMS.map(({ form, type, data }) =>
    requestEvent(id, {
      source: form,
      subject: `account-${form}`,
      type,
      time: at(first, id === 'late' ? 20 : 10),
      // A level that says the same again changes nothing.
      data: JSON.parse(id === 'late' ? data.replace('5000000000', '7000000000') : data) as object,
    }),
  )
  const { json } = await server.send(events)
  if (json.accepted + json.held !== FORMS.length) throw new Error(JSON.stringify(json))
}

/** Seal and settle all hours before this one. */
async function settle(until: number): Promise<void> {
  await server.settle({ graceMs: Date.now() - until * 3_600_000 })
}

async function sources(query = '') {
  const range = `from=${formatHour(first)}&to=${formatHour((first + 4) as Hour)}`
  const { status, json, text } = await server.ask(`/v1/sources?${range}${query}`)
  if (status !== 200) throw new Error(text)
  return json.items as readonly Record<string, unknown>[]
}

for (const { form, lines, late } of FORMS) {
  test(`a source is behind ${lines} lines, ${late} of them corrections, with events of the form ${form}`, async () => {
    const [found] = await sources(`&account=account-${form}`)
    expect(found).toMatchObject({
      source: form,
      events: 2,
      lateEvents: 1,
      lines: Number(lines),
      correctionLines: Number(late),
      share: lines === '0' ? 0 : 0.5,
    })
  })
}

test('of all accounts the counts are the same, page by page', async () => {
  const all = await sources('&limit=1000')
  const expected = FORMS.map(({ form, lines, late }) => [form, Number(lines), Number(late)])
  const found = all.map((one) => [one['source'], one['lines'], one['correctionLines']])
  expect(found).toEqual(expected.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
  expect((await sources('&limit=2')).length).toBe(2)
  expect(await sources('&limit=1')).toEqual(all.slice(0, 1))
})

test('what was voided in time, or is a copy, is behind no line', async () => {
  const hour = (now - 1) as Hour
  const source = 'taken'
  const event = (id: string, more: object) =>
    requestEvent(id, { source, subject: 'b', time: at(hour, 1), ...more })
  await server.send([event('1', {}), event('2', { subject: 'c' })])
  const order = { account: 'b', id: '1', reason: 'a test' }
  const asked = { method: 'POST', body: JSON.stringify(order), type: 'application/json' }
  expect((await server.ask('/v1/voids', asked)).json.voided).toBe(1)
  await settle(now)
  // The same id under another time: found when its hour is settled.
  await server.send([event('2', { subject: 'c', time: at(now, 0, 1) })])
  await server.settle({ graceMs: -3_600_000 })
  const range = `from=${formatHour(hour)}&to=${formatHour((now + 1) as Hour)}`
  const { json } = await server.ask(`/v1/sources?${range}`)
  const [taken] = json.items.filter((one: { source: string }) => one.source === source)
  expect(taken).toMatchObject({ events: 3, lines: 1, correctionLines: 0 })
})
