import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Ingest, Submitted } from '../../src/flows/ingest/ingest-types.ts'
import { testServer, type TestServer } from './http-server.ts'

// Guarantee: a stop waits for requests that have arrived, and for nothing else.

/** A stop without anything to wait for; a loaded machine is slower than any other. */
const SOON_MS = 5_000

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function opened(bytes: string): Promise<Socket> {
  const socket = connect(Number(new URL(server!.url).port), '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(bytes)
  return socket
}

const POST = 'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

/** What clients may leave lying about. */
const HALVES: Readonly<Record<string, (key: string) => string>> = {
  nothing: () => '',
  'half of a request line': () => 'GET /hea',
  'half of its headers': () => 'GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ',
  'headers without the empty line': () => 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n',
  'a whole request, answered': () => 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'a whole request, and half of the next one': () =>
    'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /hea',
  'half of a body': (key) => `${POST}authorization: Bearer ${key}\r\ncontent-length: 100\r\n\r\n[`,
  'half of a body in chunks': (key) =>
    `${POST}authorization: Bearer ${key}\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[  `,
  'half of a body of a request that was refused': () => `${POST}content-length: 100\r\n\r\n[`,
}

describe('a stop does not wait for a connection with', () => {
  for (const [name, bytes] of Object.entries(HALVES)) {
    test(`${name}, left lying about`, async () => {
      server = await testServer()
      const sockets = await Promise.all([1, 2, 3].map(() => opened(bytes(server!.adminKey))))
      await new Promise((resolve) => setTimeout(resolve, 200))
      const ended = Promise.all(
        sockets.map((socket) => new Promise((resolve) => socket.on('close', resolve).resume())),
      )
      const begunAt = performance.now()
      await server.server.close()
      await ended
      expect(performance.now() - begunAt).toBeLessThan(SOON_MS)
    })
  }
})

test('a stop waits for what has arrived, and for a body that arrives at once', async () => {
  let answer: (() => void) | undefined
  const ingest: Ingest = {
    submit: () => new Promise<Submitted>((resolve) => (answer = () => resolve({ ok: true, results: [] }))),
    close: async () => {},
  }
  server = await testServer({ ingest })
  const whole = server.send([])
  while (!answer) await new Promise((resolve) => setTimeout(resolve, 10))
  const first = answer
  const half = await opened(`${POST}authorization: Bearer ${server.adminKey}\r\ncontent-length: 2\r\n\r\n[`)
  await new Promise((resolve) => setTimeout(resolve, 200))
  let text = ''
  half.on('data', (chunk) => (text += String(chunk)))
  const ended = new Promise((resolve) => half.on('close', resolve))
  const closed = server.server.close()
  half.write(']')
  while (answer === first) await new Promise((resolve) => setTimeout(resolve, 10))
  // Longer than a body may take: what has arrived has all the time that it needs.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  first()
  answer()
  expect((await whole).status).toBe(200)
  await Promise.all([closed, ended])
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  await expect(fetch(server.url)).rejects.toThrow('fetch failed')
})
