import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishCompatTypes } from './compat-clients.ts'
import { type Answer, testServer, type TestServer } from './http-server.ts'

// Guarantee: whatever protocol usage comes by, what is stored and billed is what was sent, to the last digit and key.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
  await publishCompatTypes(server)
})
afterAll(() => server.close())

const TIME = new Date(Date.now() - 60_000).toISOString()
const CLOUD = 'application/cloudevents+json'

/** A CloudEvent of JSON as it is written: with these attributes besides, and these data. */
function event(id: string, data: string, more = ''): string {
  const text = { specversion: '1.0', id, source: 'app', type: 'prompt', subject: 'acme', time: TIME }
  return `${JSON.stringify(text).slice(0, -1)},"data":${data}${more}}`
}

interface Way {
  /** Sends one event with these data. */
  readonly send: (id: string, data: string) => Promise<Answer>
  /** The code and the sentence of a refusal. */
  readonly refusal: (answer: Answer) => readonly [string, string]
  /** What comes before the path of a field. */
  readonly prefix: string
  readonly refusedAs: number
}

const post = (path: string, type: string, body: string, headers: Record<string, string> = {}) =>
  server.ask(path, { method: 'POST', headers: { 'content-type': type, ...headers }, body })
const ofProblem = ({ json }: Answer) => [json.code, json.detail] as const
const ofList = ({ json }: Answer) => [json.problems[0]?.code, json.problems[0]?.detail] as const
const own = { prefix: 'data.', refusedAs: 200, refusal: ofList }
const alone = { prefix: 'data.', refusedAs: 400, refusal: ofProblem }
const lago = (id: string, data: string) =>
  `{"transaction_id":"${id}","external_subscription_id":"acme","code":"prompt","properties":${data}}`
const ce = (id: string) => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': 'app',
  'ce-type': 'prompt',
  'ce-subject': 'acme',
  'ce-time': TIME,
})

const WAYS: Readonly<Record<string, Way>> = {
  structured: { ...alone, send: (id, data) => post('/v1/events', CLOUD, event(id, data)) },
  batch: {
    ...own,
    send: (id, data) => post('/v1/events', 'application/cloudevents-batch+json', `[${event(id, data)}]`),
  },
  'a large batch': {
    ...own,
    send: (id, data) => {
      const good = Array.from({ length: 700 }, (_, at) => event(`${id}-${at}`, '{"tokens":1}'))
      return post('/v1/events', 'application/json', `[${[...good, event(id, data)].join(',')}]`)
    },
  },
  lines: { ...own, send: (id, data) => post('/v1/events', 'application/x-ndjson', `\n${event(id, data)}\n`) },
  binary: { ...alone, send: (id, data) => post('/v1/events', 'application/json', data, ce(id)) },
  'data in base64': {
    ...alone,
    send: (id, data) => {
      const encoded = event(id, `"${Buffer.from(data).toString('base64')}"`).replace(
        '"data":',
        '"data_base64":',
      )
      return post('/v1/events', CLOUD, encoded)
    },
  },
  'a dry run': { ...alone, send: (id, data) => post('/v1/events?dryRun=true', CLOUD, event(id, data)) },
  openmeter: { ...alone, send: (id, data) => post('/api/v1/events', CLOUD, event(id, data)) },
  'openmeter 3': {
    ...alone,
    send: (id, data) => post('/api/v3/openmeter/events', 'application/json', `[${event(id, data)}]`),
  },
  lago: {
    prefix: 'properties.',
    refusedAs: 422,
    refusal: ({ json }) => json.error_details.event as [string, string],
    send: (id, data) => post('/api/v1/events', 'application/json', `{"event":${lago(id, data)}}`),
  },
  'a batch of lago': {
    prefix: 'properties.',
    refusedAs: 422,
    refusal: ({ json }) => json.error_details['1'].event as [string, string],
    send: (id, data) => {
      const events = [lago(`${id}-good`, '{"tokens":1}'), lago(id, data)]
      return post('/api/v1/events/batch', 'application/json', `{ "events" : [${events.join(' , ')}] }`)
    },
  },
}

const BAD: readonly (readonly [data: string, code: string, says: string])[] = [
  [
    '{"tokens":0.99999999999999999999}',
    'event/inexact_number',
    'tokens is the JSON number 0.99999999999999999999, ',
  ],
  ['{"tokens":1e-400}', 'event/inexact_number', 'tokens is the JSON number 1e-400, '],
  [
    '{"tokens":1,"at":{"ns":[1753671600123456789]}}',
    'event/inexact_number',
    'at.ns[0] is the JSON number 17536716',
  ],
  ['{"tokens":1,"tokens":1000}', 'event/repeated_key', 'tokens is there more than once: send each key once.'],
  ['{"tokens":1,"at":{"a":1,"\\u0061":1}}', 'event/repeated_key', 'at.a is there more than once'],
]

for (const [name, { send, refusal, prefix, refusedAs }] of Object.entries(WAYS)) {
  describe(`by the way of ${name}`, () => {
    test.each(BAD)('%s is refused by place', async (data, code, says) => {
      const answer = await send(`${name}-${BAD.findIndex(([bad]) => bad === data)}`, data)
      expect(answer.status).toBe(refusedAs)
      const [said, detail] = refusal(answer)
      expect(said).toBe(code)
      expect(detail).toContain(prefix + says)
    })

    test('numbers in every form that keeps them are taken', async () => {
      const data = '{"tokens":1e3,"ratio":0.1,"zero":-0,"big":9007199254740992,"small":5e-324}'
      expect((await send(`${name}-good`, data)).status).toBeLessThan(300)
    })
  })
}

test('nothing that was refused is stored or billed, and what was sent is kept', async () => {
  const refused = Object.keys(WAYS).flatMap((name) => BAD.map((_, at) => `${name}-${at}`))
  const count = 'select count(*)::int as events from usage_event where id = any($1)'
  const { rows } = await server.database.pool.query(count, [refused])
  expect(rows).toEqual([{ events: 0 }])
  const kept = await server.database.pool.query(`select body from refused_event where detail like '%1e-400%'`)
  const bodies = kept.rows.map(({ body }: { body: string }) => body)
  expect(bodies.length).toBeGreaterThan(5)
  for (const body of bodies) expect(body).toMatch(/1e-400|"data_base64"/)
})

async function tell(data: string): Promise<unknown> {
  return (await post('/v1/events', 'application/x-ndjson', event('same', data))).json
}

test('two events that differ in the last digit, or in the form of a number, are no duplicates or one', async () => {
  expect(await tell('{"tokens":1,"n":9007199254740992}')).toMatchObject({ accepted: 1 })
  expect(await tell('{"n":9007199254740992.0,"tokens":1e0}')).toMatchObject({ duplicates: 1 })
  expect(await tell('{"tokens":1,"n":9007199254740993}')).toMatchObject({ duplicates: 0, rejected: 1 })
  expect(await tell('{"tokens":1,"n":9007199254740994}')).toMatchObject({ conflicts: 1 })
  expect(await tell('{"tokens":1,"n":"9007199254740993"}')).toMatchObject({ conflicts: 1 })
})

/** A meter event as a client of Stripe sends it. */
function form(more: string): Promise<Answer> {
  const common = 'event_name=pages&payload[stripe_customer_id]=st'
  const body = `${common}&identifier=${encodeURIComponent(more)}&${more}`
  return post('/v1/billing/meter_events', 'application/x-www-form-urlencoded', body)
}

describe('attributes and what is around events', () => {
  test('an event with two accounts or ids is refused, and is of neither', async () => {
    const two = await post('/v1/events', CLOUD, event('two', '{"tokens":1}', ',"subject":"other"'))
    expect([two.status, ...ofProblem(two)]).toEqual([
      400,
      'event/repeated_key',
      'subject is there more than once: send each key once.',
    ])
    const { rows } = await server.database.pool.query(
      `select account, id from refused_event where detail like 'subject is there%'`,
    )
    expect(rows).toEqual([{ account: null, id: 'two' }])
    const ids = await post('/v1/events', 'application/x-ndjson', event('x', '{"tokens":1}', ',"id":"y"'))
    expect(ids.json.problems).toMatchObject([{ id: null, code: 'event/repeated_key' }])
  })

  test('a body of Lago with two events is no event', async () => {
    for (const [path, body] of [
      ['/api/v1/events', `{"event":${lago('l1', '{"tokens":1}')},"event":${lago('l2', '{"tokens":1}')}}`],
      ['/api/v1/events/batch', `{"events":[],"events":[${lago('l3', '{"tokens":1}')}]}`],
    ] as const) {
      const answer = await post(path, 'application/json', body)
      expect([answer.status, answer.json.code]).toEqual([400, 'request/invalid_body'])
      expect(answer.text).toContain('more than once: send each key once.')
    }
  })

  test('a form of Stripe has each field once, and quantities to the last digit', async () => {
    expect((await form('payload[value]=1&payload[value]=1000')).status).toBe(400)
    expect((await form('payload[value]=1&payload%5Bvalue%5D=1')).status).toBe(400)
    expect((await form('payload[value]=1&payload[]=2&payload[]=3')).status).toBe(400)
    expect((await form('payload[value]=0.99999999999999999999')).status).toBe(400)
    expect((await form('payload[value]=9007199254740993&timestamp=')).status).toBe(400)
    const fine = (Date.now() / 1000 - 60).toFixed(3) + '9'.repeat(40)
    expect((await form(`payload[value]=9007199254740993&timestamp=${fine}`)).status).toBe(200)
    const { rows } = await server.database.pool.query(`select data from usage_event where account = 'st'`)
    expect(rows).toEqual([{ data: '{"stripe_customer_id":"st","value":"9007199254740993"}' }])
  })

  test.each([
    ['POST', '/v1/keys', '{"name":"a","scopes":["usage:read"],"name":"b"}', 'name is there more than once'],
    [
      'POST',
      '/v1/keys',
      '{"name":"a","scopes":["usage:read"],"account":"x","account":null}',
      'account is there',
    ],
    ['PUT', '/v1/accounts/twice', '{"name":"a","tags":{"a":"1","a":"2"}}', 'tags.a is there more than once'],
    [
      'POST',
      '/v1/manifests',
      '{"source":"s","hour":"2025-07-28T03Z","events":1.00000000000000000001}',
      'events is the JSON number 1.00000000000000000001, ',
    ],
    [
      'POST',
      '/v1/manifests',
      '{"source":"s","hour":"2025-07-28T03Z","events":1,"events":2}',
      'events is there',
    ],
    ['POST', '/v1/voids', '{"account":"acme","id":"a","reason":"r","account":"other"}', 'account is there'],
  ])('%s %s %s is refused as a whole', async (method, path, body, says) => {
    const answer = await server.ask(path, { method, type: 'application/json', body })
    expect([answer.status, answer.json.code]).toEqual([400, 'request/invalid_body'])
    expect(answer.json.detail).toContain(says)
  })

  test('a second may have thirty digits', async () => {
    const time = TIME.replace('Z', '9'.repeat(27) + 'Z')
    const sent = event('thirty', '{"tokens":1}').replace(TIME, time)
    expect((await post('/v1/events', CLOUD, sent)).json).toMatchObject({ accepted: 1 })
    const again = event('thirty', '{"tokens":1}')
    expect((await post('/v1/events', CLOUD, again)).json).toMatchObject({ duplicates: 1 })
    const long = sent.replace(time, TIME.replace('Z', '9'.repeat(98) + 'Z'))
    expect(ofProblem(await post('/v1/events', CLOUD, long))).toEqual([
      'event/invalid_time',
      'time has more than 100 digits after the point: send fewer.',
    ])
  })
})
