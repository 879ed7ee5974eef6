import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LINES_IDLE_MS_MAX } from '../../src/http/body/limits.ts'
import { PATIENCE } from '../../src/http/server.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

/**
 * Guarantee: a stream of lines may take its time, and pause, however long all of it takes; a client that stops sending is
 * told so, and its connection ends.
 */

const IDLE_MS = 1_500

let server: TestServer
beforeAll(async () => {
  server = await testServer({ patience: { ...PATIENCE, headersMs: 500, connectionMs: IDLE_MS } })
})
afterAll(() => server.close())

/** Sends parts with pauses between, and waits for the end of the connection. @returns what was answered, and after how long */
async function exchange(parts: readonly string[], pauseMs = 0, { url } = server) {
  const began = performance.now()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => (answer += String(chunk)))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (const [at, part] of parts.entries()) {
    if (at > 0) await sleep(pauseMs)
    if (socket.writable) socket.write(part)
  }
  await closed
  return { answer, ms: performance.now() - began }
}

const head = (type: string, length?: number, more = '') =>
  [
    'POST /v1/events HTTP/1.1',
    'host: x',
    'connection: close',
    `authorization: Bearer ${server.adminKey}`,
    `content-type: ${type}`,
    length === undefined ? 'transfer-encoding: chunked' : `content-length: ${length}`,
  ].join('\r\n') + `${more}\r\n\r\n`

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const LINES = 'application/x-ndjson'

test('a stream of lines that pauses again and again is taken whole', async () => {
  const lines = Array.from({ length: 6 }, (_, n) => chunk(`${JSON.stringify(requestEvent(`slow ${n}`))}\n`))
  const { answer, ms } = await exchange([head(LINES), ...lines, '0\r\n\r\n'], IDLE_MS / 2)
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
  expect(answer).toContain('"accepted":6')
  expect(ms).toBeGreaterThan(3 * IDLE_MS)
})

describe('a body that stops is answered 408, and its connection ends', () => {
  const STOPPED: Readonly<Record<string, () => readonly string[]>> = {
    'before its first byte': () => [head('application/json', 1_000)],
    'after it': () => [head('application/json', 1_000), '['],
    'one byte before its end': () => [head('application/json', 3), '[ '],
    'in its gzip data': () => [head('application/json', 40, '\r\ncontent-encoding: gzip'), '\u001f\u008b'],
    'between two lines': () => [head(LINES), chunk(`${JSON.stringify(requestEvent('stopped'))}\n`)],
    'after its last line': () => [head(LINES), chunk('\n'), '0\r\n'],
  }
  for (const [where, parts] of Object.entries(STOPPED)) {
    test(`it stops ${where}`, async () => {
      const { answer, ms } = await exchange(parts())
      expect(answer).toMatch(/^HTTP\/1.1 408 /)
      expect(answer).toContain('"code":"request/timeout"')
      expect([ms > IDLE_MS - 100, ms < IDLE_MS + 2_500]).toEqual([true, true])
      expect(answer).not.toContain('"accepted"')
    })
  }

  test('headers that stop have less time, and a connection on which nothing was asked ends without a word', async () => {
    const half = await exchange(['GET /healthz HTTP/1.1\r\nhost: x\r\n'])
    expect(half.answer).toMatch(/^HTTP\/1.1 408 [^]*request\/timeout/)
    expect((await exchange(['GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'])).answer).toMatch(/"status":"ok"}$/)
  })

  test('and a request that never ends has a limit, however steadily it comes', async () => {
    const short = await testServer({ patience: { ...PATIENCE, requestMs: 1_500 } })
    try {
      const lines = Array.from({ length: 20 }, () => chunk('\n'))
      const begin = head(LINES).replace(server.adminKey, short.adminKey)
      const { answer } = await exchange([begin, ...lines, '0\r\n\r\n'], 250, short)
      expect(answer).toMatch(/^HTTP\/1.1 408 [^]*request\/timeout/)
    } finally {
      await short.close()
    }
  })
})

test('a stream may pause for a minute many times, and the connection outlives the pause', () => {
  expect(PATIENCE.connectionMs).toBeGreaterThan(LINES_IDLE_MS_MAX)
  expect(PATIENCE.requestMs).toBeGreaterThanOrEqual(10 * LINES_IDLE_MS_MAX)
})
