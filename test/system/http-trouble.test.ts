import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ingest, Submitted } from '../../src/flows/ingest/ingest-types.ts'
import { BODY_BYTES_MAX, HELD_BYTES_MAX, SMALL_BODIES_BYTES_MIN } from '../../src/http/body/limits.ts'
import { PATIENCE } from '../../src/http/server.ts'
import type { Connection } from '../../src/store/connect.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/** A way to the database that can be cut. */
interface Way {
  through(connection: Connection): Connection
  cut(): Promise<void>
  restore(): Promise<void>
}

async function makeWay(): Promise<Way> {
  const sockets = new Set<Socket>()
  let target = ''
  const server: Server = createServer((socket) => {
    const database = connect(target)
    for (const end of [socket, database]) {
      sockets.add(end)
      end.on('error', () => {})
      end.on('close', () => sockets.delete(end))
    }
    socket.pipe(database).pipe(socket)
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', () => resolve()))
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    through(connection) {
      target = `${connection.host}/.s.PGSQL.${connection.port}`
      return { ...connection, host: '127.0.0.1', port }
    },
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    restore: () => listen(port),
  }
}

describe('the database goes away and comes back', () => {
  let way: Way
  let server: TestServer
  beforeAll(async () => {
    way = await makeWay()
    server = await testServer({ through: (connection) => way.through(connection) })
  })
  afterAll(async () => {
    await server.close()
    await way.cut()
  })

  test('requests are asked to come again, and then succeed; nothing is called a bug', async () => {
    expect((await server.send(requestEvent('before'))).json.accepted).toBe(1)
    await way.cut()
    const reading = await server.ask('/v1/bills')
    expect([reading.status, reading.json.code]).toEqual([503, 'service/unavailable'])
    expect(reading.headers.get('retry-after')).toMatch(/^\d+$/)
    const sending = await server.send(requestEvent('while'))
    expect([sending.status, sending.json.code]).toEqual([503, 'ingest/unavailable'])
    expect(sending.headers.get('retry-after')).toMatch(/^\d+$/)
    const ready = await server.ask('/readyz')
    expect([ready.status, ready.json]).toEqual([
      503,
      { ready: false, sealing: 'unknown', reasons: ['The database cannot be reached.'] },
    ])
    expect((await server.ask('/healthz')).status).toBe(200)

    await way.restore()
    expect((await server.ask('/v1/bills')).status).toBe(200)
    expect((await server.send(requestEvent('while'))).json.accepted).toBe(1)
    expect((await server.ask('/readyz')).status).toBe(200)
    expect(server.logged.filter(({ text }) => text.includes('bug'))).toEqual([])
  })

  test('a key that is not remembered cannot be checked: that is no 401', async () => {
    const key = await server.key(['bills:read'])
    await way.cut()
    const answer = await server.ask('/v1/bills', { key })
    expect([answer.status, answer.json.code]).toEqual([503, 'service/unavailable'])
    await way.restore()
    expect((await server.ask('/v1/bills', { key })).status).toBe(200)
  })
})

describe('ingest that cannot take more', () => {
  let submitted: (() => Promise<Submitted>) | undefined
  const ingest: Ingest = { submit: () => submitted!(), close: async () => {} }
  let server: TestServer
  beforeAll(async () => {
    server = await testServer({ ingest, patience: { ...PATIENCE, requestMs: 1_000, answerMs: 1_500 } })
  })
  afterAll(() => server.close())

  test('is 429 or 503 with Retry-After', async () => {
    for (const [code, status] of [
      ['ingest/overloaded', 429],
      ['ingest/unavailable', 503],
      ['ingest/stopping', 503],
    ] as const) {
      submitted = async () => ({ ok: false, code, detail: 'Later.', retryAfterSeconds: 7 })
      const answer = await server.send([])
      expect([answer.status, answer.json.code, answer.headers.get('retry-after')]).toEqual([
        status,
        code,
        '7',
      ])
    }
  })

  test('a bug is 500 with an id, and without internals', async () => {
    submitted = async () => {
      throw new Error('secret internals')
    }
    const answer = await server.send([])
    expect([answer.status, answer.json.code]).toEqual([500, 'service/bug'])
    expect(answer.text).not.toMatch(/secret|internals|\.ts/)
    const [id] = /[0-9a-f]{12}/.exec(answer.json.detail)!
    expect(server.logged.at(-1)).toMatchObject({
      level: 'error',
      fields: { requestId: id, url: '/v1/events' },
    })
  })

  test('an answer that takes too long is 503', async () => {
    submitted = () => new Promise(() => {})
    const answer = await server.send([])
    expect([answer.status, answer.json.code]).toEqual([503, 'service/too_slow'])
  })

  test('a client that sends too slowly is cut off with 408', async () => {
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.adminKey}\r\n`
    socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n[`)
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', () => {})
    await new Promise((resolve) => socket.on('close', resolve))
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
    expect(answer).toContain('request/timeout')
  })
})

describe('large bodies at once', () => {
  let submitted: (() => Promise<Submitted>) | undefined
  const ingest: Ingest = { submit: () => submitted!(), close: async () => {} }
  let server: TestServer
  beforeAll(async () => {
    server = await testServer({ ingest })
  })
  afterAll(() => server.close())

  test('bodies are held within a limit, packed or not: beyond it, 429', async () => {
    const waiting: (() => void)[] = []
    submitted = () => new Promise((resolve) => void waiting.push(() => resolve({ ok: true, results: [] })))
    const large = `[${' '.repeat(BODY_BYTES_MAX - 2)}]`
    const fits = (HELD_BYTES_MAX - SMALL_BODIES_BYTES_MIN) / BODY_BYTES_MAX
    const keys = [server.adminKey, await server.key(['usage:write']), await server.key(['usage:write'])]
    const held = Array.from({ length: fits }, (_, at) => server.send(large, { key: keys[at % 2]! }))
    while (waiting.length < fits) await new Promise((resolve) => setTimeout(resolve, 10))
    for (const body of [large, gzipSync(large)]) {
      const headers: Record<string, string> = typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }
      const answer = await server.send(body, { headers, key: keys[2]! })
      expect([answer.status, answer.json.code]).toEqual([429, 'ingest/overloaded'])
      expect(answer.headers.get('retry-after')).toBe('1')
    }
    for (const finish of waiting) finish()
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(200)
    submitted = async () => ({ ok: true, results: [] })
    expect((await server.send(large)).status).toBe(200)
  })
})
