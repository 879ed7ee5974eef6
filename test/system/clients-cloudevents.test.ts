import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from 'cloudevents'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, testServer, type TestServer } from './http-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

const DATA = { operation: 'SimpleQuery', status: 200 }
const COUNTS = { accepted: 1, duplicates: 0, conflicts: 0, held: 0, rejected: 0 }

function event(id: string, more: Readonly<Record<string, unknown>> = {}): CloudEvent<unknown> {
  const attributes = { id, source: '/shop', type: 'farthing.request', subject: 'acme' }
  return new CloudEvent({ ...attributes, data: DATA, ...more })
}

/** The event as it is shown again. */
async function shown(id: string, account = 'acme') {
  const { json } = await server.ask(`/v1/events?account=${account}&id=${encodeURIComponent(id)}`)
  return json.stored[0]?.event as Record<string, unknown> | undefined
}

/** A request with exactly these headers, in this order. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
function raw(headers: readonly string[], body: string | Buffer): Promise<{ status: number; json: any }> {
  const all = [
    'host',
    new URL(server.url).host,
    'authorization',
    `Bearer ${server.adminKey}`,
    'content-length',
    `${Buffer.byteLength(body)}`,
  ]
  return new Promise((resolve, reject) => {
    const sending = httpRequest(`${server.url}/v1/events`, { method: 'POST', headers: [...all, ...headers] })
    sending.on('error', reject)
    sending.on('response', (answer) => {
      let text = ''
      answer.on('data', (chunk) => (text += String(chunk)))
      answer.on('end', () =>
        resolve({ status: answer.statusCode!, json: text === '' ? {} : JSON.parse(text) }),
      )
    })
    // As bytes: of a text, Node.js would write the headers as UTF-8 too.
    sending.end(Buffer.from(body))
  })
}

describe('the package cloudevents', () => {
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    test(`its emitter sends in ${mode} mode, and extensions are shown again`, async () => {
      const emit = emitterFor(httpTransport(`${server.url}/v1/events`), { binding: HTTP, mode })
      const sent = event(`emitted-${mode}`, { traceparent: '00-4bf9', dataschema: 'https://example.com/s' })
      const answer = (await emit(sent, { headers: { authorization: `Bearer ${server.adminKey}` } })) as {
        body: string
      }
      expect(JSON.parse(answer.body)).toEqual({ ...COUNTS, problems: [] })
      expect(await shown(sent.id)).toMatchObject({
        time: sent.time,
        data: DATA,
        traceparent: '00-4bf9',
        dataschema: 'https://example.com/s',
      })
    })
  }

  test('its messages are taken as they are, and the same event in another mode is a duplicate', async () => {
    const sent = event('messages', { sampled: false, retries: 3, datacontenttype: 'application/json' })
    for (const [{ headers, body }, outcome] of [
      [HTTP.structured(sent), 'accepted'],
      [HTTP.binary(sent), 'duplicates'],
    ] as const) {
      const flat = Object.entries(headers).flatMap(([name, value]) => [name, String(value)])
      const { status, json } = await raw(flat, body as string)
      expect([status, json[outcome]]).toEqual([200, 1])
    }
    expect(await shown('messages')).toMatchObject({ sampled: false, retries: 3 })
  })

  test('a batch is its events as JSON, and an empty one is fine', async () => {
    const type = 'application/cloudevents-batch+json; charset=UTF-8'
    const { status, json } = await server.send([event('b1'), event('b2')], { type })
    expect([status, json.accepted]).toEqual([200, 2])
    const empty = await server.send([], { type })
    expect([empty.status, empty.json]).toEqual([200, { ...COUNTS, accepted: 0, problems: [] }])
  })

  test('data that it sends as Base64 is read when it is JSON, and is refused when it is not', async () => {
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(DATA)))
    const encoded = event('encoded', { data: bytes, datacontenttype: 'application/json' })
    const read = HTTP.structured(encoded)
    expect(JSON.parse(read.body as string)).toMatchObject({ data_base64: expect.any(String) as string })
    const type = 'application/cloudevents+json'
    expect((await server.send(read.body, { type })).json).toMatchObject(COUNTS)
    expect((await shown('encoded'))?.['data']).toEqual(DATA)
    const picture = HTTP.structured(event('picture', { data: bytes, datacontenttype: 'image/png' }))
    const refused = await server.send(picture.body, { type })
    expect([refused.status, refused.json.code]).toEqual([400, 'event/invalid_data'])
  })
})

const BINARY = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-source': 'test',
  'ce-type': 'farthing.request',
  'ce-subject': 'acme',
  'ce-time': new Date().toISOString(),
}

function binary(id: string, headers: Readonly<Record<string, string>> = {}, body = JSON.stringify(DATA)) {
  return raw(Object.entries({ ...BINARY, 'ce-id': id, ...headers }).flat(), body)
}

describe('binary mode, to the letter', () => {
  for (const [name, value, extension] of [
    ['is decoded once', '%2541', '%41'],
    ['is UTF-8 behind its escapes', 'Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro \u20ac \u{1f600}'],
    ['may be quoted', '"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    ['is unquoted before it is decoded', '"100%25 \\%41"', '100% A'],
    ['may have quotes within', 'a "b"', 'a "b"'],
    ['may have lower-case escapes', '%e2%82%ac', '\u20ac'],
    ['keeps a plus', 'a+b', 'a+b'],
  ] as const) {
    test(`a header ${name}`, async () => {
      const id = `header ${name}`.replaceAll(' ', '-')
      expect((await binary(id, { 'ce-note': value })).json).toMatchObject(COUNTS)
      expect((await shown(id))?.['note']).toBe(extension)
    })
  }

  for (const [name, headers] of [
    ['a % without digits', { 'ce-note': '50% off' }],
    ['escapes that are not UTF-8', { 'ce-note': '%FF' }],
    ['an escaped surrogate', { 'ce-note': '%ED%A0%80' }],
    ['bytes that are not UTF-8', { 'ce-note': '\u00ff' }],
    ['a quote that does not end', { 'ce-note': '"a' }],
    ['data in a header', { 'ce-data': '{}' }],
    ['data in a header, as Base64', { 'ce-data_base64': 'e30=' }],
    ['the type of data as an attribute', { 'ce-datacontenttype': 'application/json' }],
  ] as const) {
    test(`refused: ${name}`, async () => {
      const { status, json } = await binary('refused', headers)
      expect([status, json.code]).toEqual([400, 'request/malformed_http'])
    })
  }

  test('the names of headers have no case, and none may be there twice', async () => {
    const upper = Object.entries({ ...BINARY, 'ce-id': 'upper' }).map(([name, value]) => [
      name.toUpperCase(),
      value,
    ])
    expect((await raw(upper.flat(), JSON.stringify(DATA))).json).toMatchObject(COUNTS)
    const twice = [...Object.entries({ ...BINARY, 'ce-id': 'one' }).flat(), 'CE-ID', 'two']
    expect((await raw(twice, JSON.stringify(DATA))).json.code).toBe('request/malformed_http')
  })

  test('Content-Type is that of data, and is kept', async () => {
    const type = 'application/vnd.acme+json; charset=utf-8'
    expect((await binary('typed', { 'content-type': type })).json).toMatchObject(COUNTS)
    expect((await shown('typed'))?.['datacontenttype']).toBe(type)
    const xml = await binary('xml', { 'content-type': 'application/xml' }, '<a/>')
    expect([xml.status, xml.json.code]).toEqual([415, 'request/unsupported_media_type'])
  })

  test('an event that forgets its version, or has no data, is refused as such', async () => {
    const { 'ce-specversion': _, ...forgetful } = { ...BINARY, 'ce-id': 'old' }
    const refused = await raw(Object.entries(forgetful).flat(), JSON.stringify(DATA))
    expect([refused.status, refused.json.code]).toEqual([400, 'event/missing_attribute'])
    expect((await binary('empty', {}, '')).json.code).toBe('event/missing_data')
  })

  test('a Content-Type of CloudEvents decides, whatever the headers say', async () => {
    const type = { 'content-type': 'Application/CloudEvents+JSON;charset=utf-8' }
    const inside = JSON.stringify(event('inside'))
    expect((await binary('outside', type, inside)).json).toMatchObject(COUNTS)
    expect(await shown('inside')).toBeDefined()
    expect(await shown('outside')).toBeUndefined()
  })
})

describe('the JSON format, to the letter', () => {
  const send = (more: object): Promise<Answer> => {
    const plain = JSON.parse(JSON.stringify(event('json'))) as object
    return server.send({ ...plain, ...more }, { type: 'application/cloudevents+json' })
  }

  test('an attribute that is null is absent', async () => {
    expect((await send({ id: 'nulls', sampled: null, dataschema: null })).json).toMatchObject(COUNTS)
    expect(await shown('nulls')).not.toHaveProperty('sampled')
    expect((await send({ subject: null })).json.code).toBe('event/missing_attribute')
  })

  test('booleans, integers and strings are kept as what they are', async () => {
    expect((await send({ id: 'kinds', a: true, b: -7, c: '7', d: '' })).json).toMatchObject(COUNTS)
    expect(await shown('kinds')).toMatchObject({ a: true, b: -7, c: '7', d: '' })
  })

  test('other values and names are no attributes', async () => {
    for (const more of [{ a: 1.5 }, { a: {} }, { a: [1] }, { a: 2 ** 31 }, { aB: '' }, { a_b: '' }]) {
      const { status, json } = await send(more)
      expect([more, status, json.code]).toEqual([more, 400, 'event/invalid_attribute'])
    }
  })

  test('data and data_base64 exclude each other', async () => {
    expect((await send({ data_base64: 'e30=' })).json.code).toBe('event/invalid_data')
    expect((await send({ id: 'one-null', data_base64: null })).json).toMatchObject(COUNTS)
  })

  test('a batch where one event is expected is refused, and the other way round', async () => {
    const list = await server.send([event('x')], { type: 'application/cloudevents+json' })
    const alone = await server.send(event('x'), { type: 'application/cloudevents-batch+json' })
    expect([list.status, alone.status]).toEqual([400, 400])
    expect((await server.send('<a/>', { type: 'application/cloudevents+xml' })).status).toBe(415)
  })
})

test('lines that curl sends with --data-binary are events', async () => {
  const lines = [event('l1'), event('l2')].map((one) => JSON.stringify(one)).join('\n')
  const { json } = await raw(['content-type', 'application/x-ndjson'], `${lines}\r\n\n`)
  expect(json).toMatchObject({ ...COUNTS, accepted: 2 })
})
