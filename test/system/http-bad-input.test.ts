import { gzipSync } from 'node:zlib'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BATCH_EVENTS_MAX, BODY_BYTES_MAX, UNPACKED_BYTES_MAX } from '../../src/http/body/limits.ts'
import { type Answer, requestEvent, testServer, type TestServer } from './http-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

async function stored(): Promise<number> {
  const { rows } = await server.database.pool.query('select count(*)::int as events from usage_event')
  return (rows[0] as { events: number }).events
}

const good = () => JSON.stringify(requestEvent('good'))

interface Bad {
  readonly body: string | Uint8Array
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly status: number
  readonly code: string
  /** The answer says what is wrong where. */
  readonly says: RegExp
}

const NDJSON = 'application/x-ndjson'
const GZIP = { 'content-encoding': 'gzip' }
const packed = gzipSync(Buffer.from(good()))

/** Bodies that are unreadable as a whole, or single events that are rejected: nothing is stored. */
const BAD: Readonly<Record<string, Bad>> = {
  'malformed JSON': {
    body: '[{"a": tru }]',
    status: 400,
    code: 'request/malformed_json',
    says: /position 7/,
  },
  'malformed JSON on a later line': {
    body: '[\n  {"a": 1},\n  {"a" 2}\n]',
    status: 400,
    code: 'request/malformed_json',
    says: /line 3, column 8/,
  },
  'JSON that ends too early': {
    body: '[{"a":1}',
    status: 400,
    code: 'request/malformed_json',
    says: /ends too early/,
  },
  'an empty body': {
    body: '',
    status: 400,
    code: 'request/malformed_json',
    says: /ends too early, at position 0/,
  },
  'a number': { body: '5', status: 400, code: 'request/invalid_body', says: /not an object/ },
  'an array as one event': {
    body: '[]',
    type: 'application/cloudevents+json',
    status: 400,
    code: 'request/invalid_body',
    says: /batch/,
  },
  'an object as a batch': {
    body: '{}',
    type: 'application/cloudevents-batch+json',
    status: 400,
    code: 'request/invalid_body',
    says: /not an array/,
  },
  'another content type': {
    body: good(),
    type: 'text/plain',
    status: 415,
    code: 'request/unsupported_media_type',
    says: /text\/plain.*x-ndjson/,
  },
  'a content type that is none': {
    body: good(),
    type: 'json',
    status: 415,
    code: 'request/unsupported_media_type',
    says: /Content-Type/,
  },
  'another content encoding': {
    body: good(),
    headers: { 'content-encoding': 'br' },
    status: 415,
    code: 'request/unsupported_encoding',
    says: /br.*gzip/,
  },
  'truncated gzip': {
    body: packed.subarray(0, packed.length - 9),
    headers: GZIP,
    status: 400,
    code: 'request/invalid_gzip',
    says: /cut off/,
  },
  'gzip that is none': {
    body: good(),
    headers: GZIP,
    status: 400,
    code: 'request/invalid_gzip',
    says: /not gzip/,
  },
  'a gzip bomb': {
    body: gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1, ' ')),
    headers: GZIP,
    status: 413,
    code: 'request/unpacks_too_large',
    says: /several requests/,
  },
  'a gzip bomb that lies about its size': {
    body: Buffer.concat([gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1, ' ')), gzipSync(Buffer.from('{}'))]),
    headers: GZIP,
    status: 413,
    code: 'request/unpacks_too_large',
    says: /unpacks to more/,
  },
  'too many events': {
    body: `[${Array(BATCH_EVENTS_MAX + 1)
      .fill('1')
      .join(',')}]`,
    status: 413,
    code: 'request/too_many_events',
    says: /10001 events.*at most 10000/,
  },
  'too many lines': {
    body: '1\n'.repeat(BATCH_EVENTS_MAX + 1),
    type: NDJSON,
    status: 413,
    code: 'request/too_many_events',
    says: /at most 10000/,
  },
  'bytes that are not UTF-8': {
    body: Buffer.concat([Buffer.from('[{"id":"'), Buffer.from([0xff]), Buffer.from('"}]')]),
    status: 400,
    code: 'request/invalid_utf8',
    says: /from byte 8 on/,
  },
  'an event without attributes': {
    body: '{}',
    status: 400,
    code: 'event/missing_attribute',
    says: /specversion/,
  },
  'an event of 3 kB of id': {
    body: JSON.stringify(requestEvent('x'.repeat(3000))),
    status: 400,
    code: 'event/too_long',
    says: /512 bytes/,
  },
  'an account of 10 kB': {
    body: JSON.stringify(requestEvent('x', { subject: 'x'.repeat(10_000) })),
    status: 400,
    code: 'event/too_long',
    says: /255 bytes/,
  },
  'U+0000 in an id': {
    body: JSON.stringify(requestEvent('a\0b')),
    status: 400,
    code: 'event/invalid_text',
    says: /U\+0000/,
  },
  'an unpaired surrogate': {
    body: '{"specversion":"1.0","id":"\\ud800"}',
    status: 400,
    code: 'event/invalid_text',
    says: /surrogate/,
  },
  'a time without offset': {
    body: JSON.stringify(requestEvent('x', { time: '2026-01-01T00:00:00' })),
    status: 400,
    code: 'event/invalid_time',
    says: /offset/,
  },
  'keys that pollute prototypes': {
    body: '{"__proto__":{"specversion":"1.0"},"constructor":{"prototype":{"x":1}}}',
    status: 400,
    code: 'event/missing_attribute',
    says: /specversion/,
  },
  'JSON nested 100,000 levels deep': {
    body: `{"specversion":"1.0","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    status: 400,
    code: 'event/unreadable',
    says: /nested deeper than 64/,
  },
}

describe('bodies that cannot be accepted', () => {
  for (const [name, { body, type, headers, status, code, says }] of Object.entries(BAD)) {
    test(`refused: ${name}`, async () => {
      const before = await stored()
      const answer = await server.send(body, { ...(type ? { type } : {}), ...(headers ? { headers } : {}) })
      expect([answer.status, answer.json.code]).toEqual([status, code])
      expect(answer.headers.get('content-type')).toContain('application/problem+json')
      expect(answer.json.detail).toMatch(says)
      expect(answer.json.status).toBe(status)
      expect(await stored()).toBe(before)
    })
  }

  test('a body over the limit is refused before it is read', async () => {
    const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.adminKey}\r\n`
    const answer = await raw(
      `${head}content-type: application/json\r\ncontent-length: ${BODY_BYTES_MAX + 1}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toContain('request/too_large')
    // Whatever still comes is read by nobody.
    expect(answer).toMatch(/\r\nconnection: close\r\n/i)
  })

  test('a body over the limit that does not say its length ends at the limit', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ')
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(chunk)
      },
    })
    const init = { method: 'POST', body: stream, duplex: 'half', type: 'application/json' }
    const answer = await server.ask('/v1/events', init as RequestInit).catch((error: Error) => error)
    // The connection is closed while the client still sends: it may not see the answer.
    if (!(answer instanceof Error)) expect(answer.json.code).toBe('request/too_large')
    expect((await server.ask('/healthz')).status).toBe(200)
  })

  test('what is no HTTP is answered and cut off', async () => {
    const answer = await raw('NONSENSE\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain('request/malformed_http')
  })

  test('headers over 16 kB are refused', async () => {
    const answer = await raw(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 /)
    expect(answer).toContain('request/headers_too_large')
  })

  test('a client that goes away within its body leaves nothing behind', async () => {
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.adminKey}\r\n`
    socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n[{"a":`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await server.ask('/metrics')).text).toContain('farthing_body_bytes_held 0')
    expect(server.logged).toEqual([])
  })
})

describe('a bad element is one rejected event, and its neighbours are stored', () => {
  test('in a batch, next to good events of another client at the same instant', async () => {
    const bad = [
      requestEvent('a\0b'),
      requestEvent('\ud800'),
      requestEvent('\udc00'),
      requestEvent('x'.repeat(3000)),
      5,
      null,
      requestEvent('p', { data: JSON.parse('{"__proto__":{"operation":"SimpleQuery"}}') }),
    ]
    const batches: Answer[] = await Promise.all([
      server.send([...bad, requestEvent('neighbour')]),
      server.send([requestEvent('other', { subject: 'other' })]),
    ])
    const [mixed, other] = batches
    expect(other!.json).toMatchObject({ accepted: 1, rejected: 0 })
    expect(mixed!.json).toMatchObject({ accepted: 1, rejected: bad.length })
    expect(
      mixed!.json.problems.map(({ index, code }: { index: number; code: string }) => [index, code]),
    ).toEqual([
      [0, 'event/invalid_text'],
      [1, 'event/invalid_text'],
      [2, 'event/invalid_text'],
      [3, 'event/too_long'],
      [4, 'event/not_an_object'],
      [5, 'event/not_an_object'],
      [6, 'event/invalid_data'],
    ])
  })

  test('in NDJSON: a line that is not JSON, and one that is not UTF-8', async () => {
    const lines = [good().replace('good', 'line 1'), '{"id":', '', '\u00fc', good().replace('good', 'line 5')]
    const body = Buffer.from(lines.join('\r\n').replace('\u00fc', '?'), 'latin1')
    body[body.indexOf('?')] = 0xfc
    const answer = await server.send(body, { type: NDJSON })
    expect(answer.json).toMatchObject({ accepted: 2, rejected: 2 })
    const [first, second] = answer.json.problems
    expect(first).toMatchObject({ index: 1, code: 'event/unreadable' })
    expect(first.detail).toMatch(/Line 2 is not JSON: it ends too early/)
    expect(second).toMatchObject({ index: 2, code: 'event/unreadable' })
    expect(second.detail).toMatch(/Line 4 is not UTF-8 from its byte 0 on/)
  })

  test('what was refused can be looked at', async () => {
    const { json } = await server.ask('/v1/refused-events?limit=3')
    expect(json.items).toHaveLength(3)
    expect(json.items[0]).toMatchObject({ outcome: 'rejected', code: 'event/unreadable' })
  })
})

function one(id: string) {
  return requestEvent(id, { subject: 'ways' })
}

function headersOf(id: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': 'test',
    'ce-type': 'farthing.request',
    'ce-subject': 'ways',
    'ce-time': new Date().toISOString(),
  }
}

describe('the ways to send', () => {
  const { data } = one('')
  const WAYS: Readonly<Record<string, () => Promise<Answer>>> = {
    structured: () => server.send(one('1'), { type: 'application/cloudevents+json; charset=utf-8' }),
    batched: () => server.send([one('2')], { type: 'application/cloudevents-batch+json' }),
    'binary, with quotes and escapes': () =>
      server.send(data, { headers: { ...headersOf('%E2%82%AC%203'), 'ce-source': '"test"' } }),
    'plain JSON, one': () => server.send(one('4')),
    'plain JSON, several': () => server.send([one('5')], { type: 'Application/JSON' }),
    'one a line': () => server.send(`${JSON.stringify(one('6'))}\n`, { type: NDJSON }),
    gzip: () => server.send(gzipSync(JSON.stringify([one('7')])), { headers: GZIP }),
    'gzip in several parts': () =>
      server.send(Buffer.concat([gzipSync('['), gzipSync(`${JSON.stringify(one('8'))}]`)]), {
        headers: GZIP,
      }),
    'with a byte order mark': () => server.send(`\ufeff${JSON.stringify([one('9')])}`),
  }
  for (const [name, send] of Object.entries(WAYS)) {
    test(`accepted: ${name}`, async () => {
      const answer = await send()
      expect([answer.status, answer.json]).toEqual([
        200,
        { accepted: 1, duplicates: 0, conflicts: 0, held: 0, rejected: 0, problems: [] },
      ])
    })
  }

  test('an attribute in binary mode is what its escapes say', async () => {
    const { json } = await server.ask(`/v1/events?account=ways&id=${encodeURIComponent('\u20ac 3')}`)
    expect(json.stored[0].event).toMatchObject({ id: '\u20ac 3', source: 'test', data })
  })

  test('nothing at all is fine', async () => {
    expect((await server.send('[]')).json.accepted).toBe(0)
    expect((await server.send('', { type: NDJSON })).json.accepted).toBe(0)
  })

  test('a repeat, another content, an unknown operation: each outcome is told', async () => {
    const first = one('outcome')
    const answer = await server.send([
      first,
      first,
      { ...first, data: { ...(data as object), status: 404 } },
      { ...one('unknown'), data: { operation: 'Teleport', status: 200 } },
    ])
    expect(answer.json).toMatchObject({ accepted: 1, duplicates: 1, conflicts: 1, held: 1, rejected: 0 })
    expect(
      answer.json.problems.map(({ index, outcome }: { index: number; outcome: string }) => [index, outcome]),
    ).toEqual([
      [2, 'conflict'],
      [3, 'held'],
    ])
  })
})

/** What a server answers to bytes, until it ends the connection. */
function raw(text: string): Promise<string> {
  const { port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}
