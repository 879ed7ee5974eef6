import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testServer, type TestServer } from './http-server.ts'

// Guarantee: a server at a loopback address, or one that knows its names, answers to these names and to no other, however they
// are written; and no request leaves open which host it is for.

let own: TestServer
let named: TestServer
let any: TestServer
beforeAll(async () => {
  own = await testServer({ hosts: ['localhost'] })
  named = await testServer({ hosts: ['billing.example', '[fe80:0:0:0:0:0:0:a]', '10.0.0.7'] })
  any = await testServer()
})
afterAll(() => Promise.all([own, named, any].map((server) => server.close())))

async function raw(server: TestServer, headers: readonly string[], line = 'GET /healthz HTTP/1.1') {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.write(`${[line, ...headers, 'connection: close'].join('\r\n')}\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  return {
    status: Number(head.split(' ')[1]),
    head,
    json: JSON.parse(body || '{}') as Record<string, string>,
  }
}

const THE_MACHINE = [
  'localhost',
  'localhost:8080',
  'LocalHost',
  'localhost.',
  'LOCALHOST.:80',
  'app.localhost',
  '127.0.0.1',
  '127.0.0.1:1',
  '127.1.2.3',
  '[::1]',
  '[::1]:8080',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
]
const NAMES = [
  'billing.example',
  'Billing.EXAMPLE',
  'billing.example.',
  'billing.example:443',
  '[FE80::A]:1',
  '10.0.0.7',
]
const FOREIGN = [
  'evil.example',
  'localhost.evil.example',
  'evil-localhost',
  '127.0.0.1.evil.example',
  '128.0.0.1',
  '0.0.0.0',
  '[::2]',
  '[::]',
  '2130706433',
  'billing.example.evil',
  'xbilling.example',
  'a.billing.example',
  '',
]
const NONE = [
  'a b',
  'a,b',
  'localhost, evil.example',
  'user@localhost',
  'localhost:x',
  'localhost:99999',
  'http://localhost',
  '[::1',
  '::1',
  'a/b',
  'l\u00f6calhost',
]

describe('the header Host', () => {
  test('may be any name of the machine itself, and nothing else, at a loopback address', async () => {
    for (const host of THE_MACHINE)
      expect([host, (await raw(own, [`Host: ${host}`])).status]).toEqual([host, 200])
    for (const host of [...FOREIGN, ...NAMES]) {
      const { status, json } = await raw(own, [`Host: ${host}`])
      expect([host, status, json['code']]).toEqual([host, 421, 'request/foreign_host'])
      expect(json['detail']).toContain('FARTHING_HOSTS')
    }
  })

  test('may be one of the names that are set, too', async () => {
    for (const host of [...THE_MACHINE, ...NAMES])
      expect([host, (await raw(named, [`host: ${host}`])).status]).toEqual([host, 200])
    for (const host of FOREIGN)
      expect([host, (await raw(named, [`host: ${host}`])).status]).toEqual([host, 421])
  })

  test('may be any host where nothing is set', async () => {
    for (const host of [...THE_MACHINE, ...NAMES, ...FOREIGN])
      expect([host, (await raw(any, [`Host: ${host}`])).status]).toEqual([host, 200])
  })

  test('has to be there once, and be a host', async () => {
    const several = [
      ['Host: localhost', 'Host: localhost'],
      ['Host: localhost', 'Host: evil.example'],
      ['Host: evil.example', 'host: localhost'],
      ['Host: localhost', 'X: y', 'HOST: localhost'],
      ['Host: localhost', 'Host:'],
      [],
    ]
    for (const headers of [...several, ...NONE.map((host) => [`Host: ${host}`])]) {
      for (const server of [own, named, any]) {
        const { status, json } = await raw(server, headers)
        expect([headers, status, json['code']]).toEqual([headers, 400, 'request/malformed_http'])
        expect(json['requestId']).toMatch(/^[0-9a-f]{12}$/)
      }
    }
    expect((await raw(own, [], 'GET /healthz HTTP/1.0')).status).toBe(200)
  })

  test('is compared on every route, before the key is looked at, and so is the host of an absolute address', async () => {
    for (const line of [
      'GET /v1/bills HTTP/1.1',
      'POST /v1/events HTTP/1.1',
      'GET /nothing HTTP/1.1',
      'PATCH /healthz HTTP/1.1',
      'GET /openapi.json HTTP/1.1',
      'POST /api/v1/events HTTP/1.1',
    ])
      expect([line, (await raw(own, ['Host: evil.example'], line)).status]).toEqual([line, 421])
    expect((await raw(own, ['Host: localhost'], 'GET http://localhost:1/healthz HTTP/1.1')).status).toBe(200)
    expect((await raw(own, ['Host: localhost'], 'GET http://evil.example/healthz HTTP/1.1')).status).toBe(421)
    expect((await raw(own, ['Host: localhost', 'X-Forwarded-Host: evil.example'])).status).toBe(200)
  })

  test('of one request says nothing of the next one on its connection', async () => {
    const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
    const one = (host: string, end = '') => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n${end}\r\n`
    socket.write(one('localhost') + one('evil.example') + one('localhost', 'connection: close\r\n'))
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 421', 'HTTP/1.1 200'])
  })
})
