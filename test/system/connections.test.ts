import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { REFUSED_CONNECTION_MS } from '../../src/http/limits/connection-limit.ts'
import { testServer, type TestServer } from './http-server.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

const MAX = 4

async function limited(trustedProxies: readonly string[] = []): Promise<TestServer> {
  const server = await testServer({ shares: { connectionsMax: MAX, trustedProxies } })
  cleanUp.push(() => server.close())
  return server
}

async function open(server: TestServer): Promise<Socket> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  cleanUp.push(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  await sleep(30)
  return socket
}

async function openAll(server: TestServer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let n = 0; n < count; n++) sockets.push(await open(server))
  return sockets
}

/** All that comes until the connection ends, or for half a second. */
async function answerOn(
  socket: Socket,
  request = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n',
): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => (text += String(chunk)))
  if (socket.writable) socket.write(request)
  await Promise.race([once(socket, 'close'), sleep(500)])
  return text
}

test('an address has so many connections, and the next one is told 429 and closed', async () => {
  const server = await limited()
  const sockets = await openAll(server, MAX)
  for (const socket of sockets) expect(await answerOn(socket)).toContain('HTTP/1.1 200')
  const more = await open(server)
  const refused = await answerOn(more)
  expect(refused).toContain('HTTP/1.1 429')
  expect(refused).toContain('request/too_many_connections')
  expect(refused.toLowerCase()).toMatch(
    /retry-after: 1\r\n[^]*connection: close|connection: close\r\n[^]*retry-after: 1/,
  )
  expect(more.closed).toBe(true)
  sockets[0]!.destroy()
  await sleep(50)
  expect(await answerOn(await open(server))).toContain('HTTP/1.1 200')
})

test('beyond twice as many they are closed at once, and an idle one too many soon', async () => {
  const server = await limited()
  await openAll(server, MAX)
  const idle = await openAll(server, MAX)
  const began = performance.now()
  const beyond = await open(server)
  if (!beyond.closed) await once(beyond, 'close')
  expect(performance.now() - began).toBeLessThan(1_000)
  if (!idle[0]!.closed) await once(idle[0]!, 'close')
  expect(performance.now() - began).toBeLessThan(REFUSED_CONNECTION_MS + 1_000)
})

test('a proxy that is trusted has any number', async () => {
  const server = await limited(['127.0.0.1'])
  const sockets = await openAll(server, 3 * MAX)
  for (const socket of sockets) expect(await answerOn(socket)).toContain('HTTP/1.1 200')
})
