import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesHeld } from '../../src/http/body/held-bytes.ts'
import { BODY_BYTES_MAX, HELD_BYTES_MAX } from '../../src/http/body/limits.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: connections that announce much, or send slowly, hinder nobody.

let server: TestServer
let key: string
let other: string
beforeAll(async () => {
  server = await testServer()
  key = await server.key(['usage:write'], 'acme')
  other = await server.key(['usage:write'], 'zeta')
})
afterAll(() => server.close())

const open: { readonly socket: Socket; answer: string }[] = []

/** A connection that announces a body, and has sent so many bytes of it. */
function begin(by: string, bytes: number, type = 'application/json', announced = BODY_BYTES_MAX) {
  const { port } = new URL(server.url)
  const one = { socket: connect(Number(port), '127.0.0.1'), answer: '' }
  one.socket.on('data', (chunk) => (one.answer += String(chunk)))
  one.socket.on('error', () => {})
  const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${by}\r\ncontent-type: ${type}\r\n`
  one.socket.write(`${head}content-length: ${announced}\r\n\r\n`)
  one.socket.write(Buffer.alloc(bytes, ' '))
  open.push(one)
  return one
}

async function end(): Promise<void> {
  for (const { socket } of open.splice(0)) socket.destroy()
  while (bytesHeld() > 0) await sleep(10)
}

const small = (account: string) => [requestEvent(`${account}-${made++}`, { subject: account })]
let made = 0

const HOLDERS: readonly (readonly [what: string, connections: number, bytes: number])[] = [
  ['8 connections that announce 16 MiB and send one byte', 8, 1],
  ['200 of them', 200, 1],
  ['200 that send 60 KiB of it', 200, 60_000],
  ['8 that have sent nearly all of it', 8, BODY_BYTES_MAX - 1],
]

describe('while a key holds connections with bodies that do not end', () => {
  test.each(HOLDERS)('%s: everybody else sends small and large bodies', async (_, connections, bytes) => {
    try {
      for (let at = 0; at < connections; at++) begin(key, bytes)
      const most = Math.min(connections * bytes, HELD_BYTES_MAX / 2)
      for (let waited = 0; bytesHeld() < most - BODY_BYTES_MAX && waited < 5_000; waited += 20)
        await sleep(20)
      expect(bytesHeld()).toBeLessThanOrEqual(HELD_BYTES_MAX / 2)
      const took = performance.now()
      expect((await server.send(small('zeta'), { key: other })).json).toMatchObject({ accepted: 1 })
      const large = `[${JSON.stringify(small('zeta')[0])}${' '.repeat(200_000)}]`
      expect((await server.send(large, { key: other })).json).toMatchObject({ accepted: 1 })
      expect(performance.now() - took).toBeLessThan(10_000)
    } finally {
      await end()
    }
  })

  test('its own bodies beyond half of the memory are answered 429, and what it does about it helps', async () => {
    try {
      for (let at = 0; at < 5; at++) begin(key, BODY_BYTES_MAX - 1)
      for (let at = 0; at < 500 && !open.some(({ answer }) => answer); at++) await sleep(20)
      const refused = open.filter(({ answer }) => answer !== '')
      expect(refused).toHaveLength(1)
      expect(refused[0]!.answer).toMatch(/^HTTP\/1.1 429 .*"code":"request\/too_many_bodies"/s)
      expect(refused[0]!.answer).toMatch(/retry-after: 1\r\n.*of this key .*send fewer at once/is)
    } finally {
      await end()
    }
    expect((await server.send(small('acme'), { key })).json).toMatchObject({ accepted: 1 })
  })
})

test('anyone who sends large bodies and goes away is counted until they are stored', async () => {
  const text = JSON.stringify(requestEvent('gone', { subject: 'acme' }))
  for (let at = 0; at < 12; at++) {
    const body = Buffer.from(`[${text}${' '.repeat(BODY_BYTES_MAX - text.length - 2)}]`)
    const one = begin(key, 0, 'application/json', body.length)
    await new Promise<void>((resolve) => one.socket.write(body, () => resolve()))
    one.socket.destroy()
    expect(bytesHeld()).toBeLessThanOrEqual(HELD_BYTES_MAX / 2)
  }
  await end()
  expect((await server.send(small('acme'), { key })).json).toMatchObject({ accepted: 1 })
})

test('while memory is scarce a body that stalls is answered 408, lines and steady ones are not', async () => {
  try {
    for (const by of [key, other]) for (let at = 0; at < 3; at++) begin(by, BODY_BYTES_MAX - 50_000)
    const [stalled] = open
    const steady = begin(server.adminKey, 1)
    const lines = begin(server.adminKey, 1, 'application/x-ndjson')
    const feed = setInterval(() => steady.socket.write(' '.repeat(2_048)), 1_000)
    for (let waited = 0; stalled!.answer === '' && waited < 25_000; waited += 50) await sleep(50)
    clearInterval(feed)
    expect(stalled!.answer).toMatch(/^HTTP\/1.1 408 .*"code":"request\/too_slow"/s)
    expect([steady.answer, lines.answer]).toEqual(['', ''])
  } finally {
    await end()
  }
})
