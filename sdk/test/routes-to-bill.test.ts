import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { createMeter, type Meter } from '../src/create-meter.ts'
import { meterRequests as meterExpress } from '../src/express.ts'
import { meterRequests as meterFastify } from '../src/fastify.ts'
import { meterRequests as meterHono } from '../src/hono.ts'
import { express4 } from './framework-servers.ts'

/**
 * From a framework's own routes to a bill: the middleware without any option but who pays, a price book that lists the
 * routes as the framework names them, a real server of each, and a real Farthing.
 */

const BOOK = `
priceBook: images
currency: EUR
operations: ["GET /v1/images/:id"]
items:
  Calls:
    component: request
    rates:
      default:
        operations:
          - "POST /v1/images"
          - "GET /v1/users/:user/images/:image"
          - "GET /v1/files/*"
          - "GET /v1/files/*path"
        unit: call
        per: 1000
        prices: [{ from: "2026-01-01T00:00:00Z", price: "0.50" }]
`

let farthing: TestServer
let meter: Meter
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-routes-'))
  writeFileSync(join(folder, 'book.yaml'), BOOK)
  farthing = await testServer({ priceBook: join(folder, 'book.yaml') })
  meter = createMeter({ url: farthing.url, key: await farthing.key(['usage:write']), source: '/routes' })
})
afterAll(async () => {
  await meter.close()
  await farthing.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As an hour ago: an hour that has ended is billed at once, and this one at its end. */
const anHourAgo: Pick<Meter, 'request'> = {
  request: (fact) => meter.request({ ...fact, at: Date.now() - 3_600_000 }),
}

interface Running {
  readonly server: Server
  readonly close: () => Promise<unknown>
}

function expressApp(framework: typeof express, account: string): Server {
  const ok = (_request: express.Request, response: express.Response) => void response.send('ok')
  const images = framework.Router({ mergeParams: true }).get('/images/:image', ok)
  const app = framework().use(meterExpress(anHourAgo, { account: () => account }))
  app.post('/v1/images', ok).get('/v1/images/:id', ok).use('/v1/users/:user', images)
  app.get(framework === express4 ? '/v1/files/*' : '/v1/files/*path', ok)
  return app.listen(0, '127.0.0.1')
}

async function fastifyApp(account: string): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(meterFastify(anHourAgo, { account: () => account }))
  app.post('/v1/images', () => 'ok')
  app.get('/v1/images/:id', () => 'ok')
  app.get('/v1/files/*', () => 'ok')
  const images = async (inner: FastifyInstance) => void inner.get('/images/:image', () => 'ok')
  await app.register(images, { prefix: '/v1/users/:user' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

function honoApp(account: string): Server {
  const images = new Hono().get('/images/:image', (c) => c.text('ok'))
  const app = new Hono().use(meterHono(anHourAgo, { account: () => account }))
  app.post('/v1/images', (c) => c.text('ok')).get('/v1/images/:id', (c) => c.text('ok'))
  app.get('/v1/files/*', (c) => c.text('ok')).route('/v1/users/:user', images)
  return (createAdaptorServer({ fetch: app.fetch }) as Server).listen(0, '127.0.0.1')
}

const closing = (server: Server): Running => ({
  server,
  close: () => new Promise((done) => server.close(done)),
})

const FRAMEWORKS: Readonly<Record<string, (account: string) => Promise<Running> | Running>> = {
  'express 4': (account) => closing(expressApp(express4, account)),
  'express 5': (account) => closing(expressApp(express, account)),
  async fastify(account) {
    const app = await fastifyApp(account)
    return { server: app.server, close: () => app.close() }
  },
  hono: (account) => closing(honoApp(account)),
}

test.each(Object.keys(FRAMEWORKS))(
  '%s: calls of its own routes, metered without options, are billed',
  async (name) => {
    const account = name.replace(' ', '-')
    const { server, close } = await FRAMEWORKS[name]!(account)
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const calls = ['POST /v1/images', 'POST /v1/images', 'GET /v1/images/7', 'GET /v1/users/7/images/8?x=1']
    // What no route answers makes no operation, however many addresses are tried.
    const nowhere = Array.from({ length: 20 }, (_, at) => `GET /v1/nothing/${at}`)
    for (const call of [...calls, 'GET /v1/files/a/b.png', ...nowhere]) {
      const [method, path] = call.split(' ')
      await (await fetch(url + path, { method: method! })).text()
    }
    await close()
    expect(await meter.flush()).toBe(true)
    expect(meter.stats()).toMatchObject({ held: 0, rejected: 0, conflicts: 0 })

    await farthing.settle()
    const { json: bills } = await farthing.ask(`/v1/bills?account=${account}`)
    const { json: bill } = await farthing.ask(`/v1/bills/${bills.items[0].id}`)
    const files = name === 'express 5' ? 'GET /v1/files/*path' : 'GET /v1/files/*'
    const lines = bill.lines as readonly { operation: string; quantity: string; amount: string }[]
    expect(lines.map(({ operation, quantity, amount }) => `${operation}: ${quantity} ${amount}`)).toEqual([
      `${files}: 1 0.0005`,
      'GET /v1/users/:user/images/:image: 1 0.0005',
      'POST /v1/images: 2 0.001',
    ])
    expect(bill.total).toBe('0.002')
  },
)
