import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../../src/http/routes.ts'
import { testServer, type TestServer } from './http-server.ts'

// Guarantee: whatever the method, a request gets an answer that says what is wrong with it. None is a bug, with or without a
// key, with or without a body.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

/** An answer to bytes, until its server ends the connection. */
function raw(
  text: string,
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', reject)
    socket.on('close', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      resolve({ status: Number(head.split(' ')[1]), head, body })
    })
  })
}

const BODIES: Readonly<Record<string, string>> = {
  'no body': '\r\n',
  'a body of JSON': 'content-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
  'a body of a type that is none': 'content-type: json\r\ncontent-length: 2\r\n\r\n{}',
  'a body without a type': 'content-length: 2\r\n\r\n{}',
  'a body in chunks': 'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
}

const NONE = ['FOO', 'get', 'QUERYX']

describe('a method that an address does not have', () => {
  for (const [name, body] of Object.entries(BODIES)) {
    test(`is refused as such, without a key, with ${name}`, async () => {
      for (const method of [...METHODS, ...NONE]) {
        const {
          status,
          head,
          body: text,
        } = await raw(`${method} /v1/bills HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${body}`)
        const isOne = METHODS.includes(method)
        const expected = method === 'GET' || method === 'HEAD' ? 401 : isOne ? 405 : 400
        expect([method, status, text]).toEqual([method, expected, expect.not.stringContaining('bug')])
        if (expected === 405)
          expect([method, head]).toEqual([
            method,
            expect.stringMatching(method === 'CONNECT' ? /^allow: GET,/im : /^allow: GET, HEAD$/im),
          ])
        if (method !== 'HEAD')
          expect(JSON.parse(text)).toMatchObject({ status, requestId: expect.any(String) })
      }
      expect(server.logged).toEqual([])
    })
  }

  test('is refused at every address, and named with those that there are', async () => {
    for (const { url } of ROUTES) {
      const path = url.replace(/:\w+/g, '1')
      for (const method of ['PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
        const { status, head } = await raw(
          `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
        )
        expect([method, path, status]).toEqual([method, path, 405])
        for (const route of ROUTES.filter((one) => one.url === url))
          expect(head).toMatch(new RegExp(`^allow:.*${route.method}`, 'im'))
      }
    }
  })

  test('and where there is no address it is 404', async () => {
    for (const target of [
      '/',
      '/v1',
      '/v1/billsx',
      '/v1/bills/a/b',
      '/v1/bills/',
      '*',
      '//v1/bills',
      '/V1/bills',
    ]) {
      for (const method of ['POST', 'PATCH', 'PROPFIND']) {
        const { status } = await raw(`${method} ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
        const expected = target === '/v1/bills/' ? [404, 405] : [404]
        expect([method, target, expected.includes(status)]).toEqual([method, target, true])
      }
    }
  })

  test('is counted at its address', async () => {
    await raw('PATCH /v1/bills/x/lines HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect((await server.ask('/metrics')).text).toContain(
      'method="PATCH",route="/v1/bills/:id/lines",status="405"',
    )
  })
})

test('a body of a method whose bodies say nothing is refused, and an empty one is fine', async () => {
  const key = `authorization: Bearer ${server.adminKey}\r\n`
  const head = `DELETE /v1/keys/key_none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${key}`
  const json = 'content-type: application/json\r\n'
  for (const [rest, status] of [
    ['\r\n', 404],
    [`${json}content-length: 0\r\n\r\n`, 404],
    [`${json}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 404],
    [`${json}content-length: 2\r\n\r\n{}`, 400],
    [`${json}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 400],
  ] as const) {
    expect([rest, (await raw(head + rest)).status]).toEqual([rest, status])
  }
  const get = `GET /v1/bills HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${key}`
  expect((await raw(`${get}${json}content-length: 2\r\n\r\n{}`)).status).toBe(200)
})
