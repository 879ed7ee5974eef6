import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import { table } from '../../test/table.ts'
import type { Meter, RequestFact } from '../src/create-meter.ts'
import { meterRequests as meterExpress } from '../src/express.ts'
import { meterRequests as meterFastify } from '../src/fastify.ts'
import { meterRequests as meterHono } from '../src/hono.ts'
import { express4, honoApp } from './framework-servers.ts'

/** Which operation a request is counted as, when nobody says which; and the ways in which no connection is seen. */

function notingMeter(): Pick<Meter, 'request'> & { readonly facts: RequestFact[] } {
  const facts: RequestFact[] = []
  return { facts, request: (fact) => Promise.resolve(facts.push(fact) > 0) }
}

const OPTIONS = { account: () => 'acme', onUnmetered() {} }

/** "-": not metered. `refused` is a middleware that answers 401 in place of the handler. */
const ROUTES = table(`
  method | path               | express                 | fastify                 | hono
  GET    | /photos/7?x=1      | GET /photos/:id         | GET /photos/:id         | GET /photos/:id
  HEAD   | /photos/7          | HEAD /photos/:id        | HEAD /photos/:id        | HEAD /photos/:id
  GET    | /users/7/items/9   | GET /users/:user/items/:item | GET /users/:user/items/:item | GET /users/:user/items/:item
  GET    | /teams/7/items/9   | GET /teams/:user/items/:item | GET /teams/:user/items/:item | GET /teams/:user/items/:item
  GET    | /users/7/thrown    | GET /users/:user/thrown | GET /users/:user/thrown | GET /users/:user/thrown
  GET    | /inner/5/of/6      | GET /inner/:app/of/:id  | GET /inner/:app/of/:id  | GET /inner/:app/of/:id
  GET    | /any/7             | GET /any/:id            | GET /any/:id            | GET /any/:id
  GET    | /refused/7         | -                       | GET /refused/:id        | GET /refused/:id
  GET    | /nowhere           | -                       | -                       | -
  POST   | /photos/7          | -                       | -                       | -
`)

const CALLS = ROUTES.map(({ method, path }) => ({ method: method!, path: path! }))

test.each([
  ['express 5', express],
  ['express 4', express4],
])('%s: the operation is the template, whatever routers it is in', async (_, framework) => {
  const meter = notingMeter()
  const app = framework()
  const metering = meterExpress(meter, OPTIONS)
  app.set('env', 'test').use(metering)
  app.use('/refused', (_request, response) => void response.sendStatus(401))
  app.get('/refused/:id', (_request, response) => void response.send('never'))
  app.get('/photos/:id', (_request, response) => void response.send('ok'))
  const items = framework.Router()
  items.get('/items/:item', (_request, response) => void setTimeout(() => response.send('ok'), 5))
  items.get('/thrown', () => {
    throw new Error('thrown')
  })
  app.use(['/users/:user', '/teams/:user'], items)
  const inner = framework()
  inner.get('/of/:id', (_request, response) => void response.send('ok'))
  app.use('/inner/:app', inner)
  app.all('/any/:id', (_request, response) => void response.send('ok'))
  await serving(app, callAll)
  expectOperations(meter.facts, 'express')
  expect(metering.unmetered().noOperation).toBe(3)
})

function ok(_request: express.Request, response: express.Response): void {
  response.send('ok')
}

function fail(): never {
  throw new Error('thrown')
}

/** Routes that are declared in ways of their own, and requests that reach them: none may give its own address. */
const EXPRESS_ROUTES = table(`
  path                     | express 4                        | express 5
  /a/7                     | GET /a/:id(\\d+)                 | GET /a/:id
  /b/7                     | GET /b/:x?                       | GET /b{/:x}
  /b                       | GET /b/:x?                       | GET /b{/:x}
  /files/x/y.txt           | GET /files/*                     | GET /files/*path
  /r/7/8                   | GET /^\\/r\\/(\\d+)\\/8$/       | GET /^\\/r\\/(\\d+)\\/8$/
  /many/1                  | GET /many/:id                    | GET /many/:id
  /several/1               | GET /several/:id                 | GET /several/:id
  /users/7/items/9         | GET /users/:user/items/:item     | GET /users/:user/items/:item
  /USERS/42/Items/9        | GET /users/:user/items/:item     | GET /users/:user/items/:item
  /users/7/thrown          | GET /users/:user/thrown          | GET /users/:user/thrown
  /x/5/deep/6/items/7      | GET /x/:a/deep/:b/items/:item    | GET /x/:a/deep/:b/items/:item
  /re12/items/7            | GET /^\\/re\\d+//items/:item     | GET /^\\/re\\d+//items/:item
  /inner/5/of/6            | GET /inner/:app/of/:id           | GET /inner/:app/of/:id
  /inner/5/thrown          | GET /inner/:app/thrown           | GET /inner/:app/thrown
  /inner/5/in/it/items/7   | GET /inner/:app/in/it/items/:item | GET /inner/:app/in/it/items/:item
  /by-router/3/of/6        | GET /by-router/:x/of/:id         | GET /by-router/:x/of/:id
  /v2/users/7/items/9      | GET /users/:user/items/:item     | GET /users/:user/items/:item
  /two?x=/y/z              | GET /two                         | GET /two
`)

test.each([
  ['express 4', express4],
  ['express 5', express],
] as const)('%s: a route that is declared in any way gives its declaration', async (version, framework) => {
  const meter = notingMeter()
  const is4 = version === 'express 4'
  const app = framework()
  app.set('env', 'test').use(meterExpress(meter, OPTIONS))
  app.use((request, _response, next) => {
    request.url = request.url.replace(/^\/v2/, '')
    next()
  })
  app.get(is4 ? '/a/:id(\\d+)' : '/a/:id', ok).get(is4 ? '/b/:x?' : '/b{/:x}', ok)
  app
    .get(is4 ? '/files/*' : '/files/*path', ok)
    .get(/^\/r\/(\d+)\/8$/, ok)
    .get(['/many/:id', '/several/:id'], ok)
  const items = framework.Router({ mergeParams: true }).get('/items/:item', ok).get('/thrown', fail)
  app.use('/users/:user', items).use(/^\/re\d+/, items)
  app.use('/x/:a', framework.Router().use('/deep/:b', framework.Router().use(items)))
  const inner = framework().get('/of/:id', ok).get('/thrown', fail).use('/in/it', items)
  app.use('/inner/:app', inner)
  app.use('/by-router', framework.Router().use('/:x', framework().get('/of/:id', ok)))
  app.get('/two', ok)
  await serving(app, async (url) => {
    for (const { path } of EXPRESS_ROUTES) await (await fetch(url + path)).text()
  })
  const wanted = EXPRESS_ROUTES.map((row) => row[version])
  expect(meter.facts.map(({ operation }) => operation)).toEqual(wanted)
})

/** Runs an application of Express while some work asks it. */
async function serving(
  app: { listen(port: number, host: string): Server },
  work: (url: string) => Promise<void>,
) {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await new Promise((resolve) => server.close(resolve))
}

test('fastify: the operation is the template, with its prefixes', async () => {
  const meter = notingMeter()
  const app = fastify({ forceCloseConnections: true })
  const metering = meterFastify(meter, OPTIONS)
  await app.register(metering)
  app.addHook('preHandler', async ({ url }, reply) => {
    if (url.startsWith('/refused')) await reply.code(401).send('no')
  })
  app.get('/refused/:id', () => 'never')
  app.get('/photos/:id', () => 'ok')
  for (const prefix of ['/users/:user', '/teams/:user']) {
    const items = async (inner: typeof app) => {
      inner.get('/items/:item', () => 'ok')
      inner.get('/thrown', async () => Promise.reject(new Error('thrown')))
    }
    await app.register(items as never, { prefix })
  }
  app.get('/inner/:app/of/:id', () => 'ok')
  app.all('/any/:id', () => 'ok')
  await callAll(await app.listen({ port: 0, host: '127.0.0.1' }))
  await app.close()
  expectOperations(meter.facts, 'fastify')
  expect(metering.unmetered().noOperation).toBe(2)
})

test('hono: the operation is the template, also of what a middleware has answered; no server is needed', async () => {
  const meter = notingMeter()
  const app = new Hono()
  const metering = meterHono(meter, OPTIONS)
  app.use(metering)
  app.onError((_error, c) => c.text('failed', 500))
  app.use('/refused/*', async (c, next) => (c.req.path === '' ? next() : c.text('no', 401)))
  app.get('/refused/:id', (c) => c.text('never'))
  // Passes on what it is not for.
  app.get('/photos/*', (_c, next) => next())
  app.get('/photos/:id', (c) => c.text('ok'))
  const items = new Hono()
  items.get('/items/:item', (c) => c.text('ok'))
  items.get('/thrown', () => {
    throw new Error('thrown')
  })
  items.onError((_error, c) => c.text('failed', 502))
  app.route('/users/:user', items).route('/teams/:user', items)
  app.route(
    '/inner/:app',
    new Hono().get('/of/:id', (c) => c.text('ok')),
  )
  app.all('/any/:id', (c) => c.text('ok'))
  // Catches all, but is never reached by the others.
  app.get('/photos/*', (c) => c.text('other'))
  for (const { method, path } of CALLS) await (await app.request(path, { method })).text()
  expectOperations(meter.facts, 'hono')
  expect(metering.unmetered().noOperation).toBe(2)
})

test('hono: a method that nobody knows makes no operation of its own', async () => {
  const meter = notingMeter()
  const app = new Hono().use(meterHono(meter, OPTIONS)).all('/any/:id', (c) => c.text('ok'))
  app.on('PURGE', '/cache/:key', (c) => c.text('ok'))
  for (const [method, path] of [
    ['GET', '/any/1'],
    ['X1', '/any/1'],
    ['X2', '/any/2'],
    ['PURGE', '/cache/7'],
  ] as const)
    await (await app.request(path, { method })).text()
  const operations = meter.facts.map(({ operation }) => operation)
  expect(operations).toEqual(['GET /any/:id', 'ALL /any/:id', 'ALL /any/:id', 'PURGE /cache/:key'])
})

test.each([
  ['/v1/stream', 'reads', '200 200'],
  ['/v1/endless', 'cuts', '200 499'],
  ['/v1/broken', 'fails', '200 200'],
  ['/v1/thrown', 'reads', '500 500'],
  ['/v1/status/204', 'reads', '204 204'],
])('hono without a connection: %s, a client that %s: left and counted %s', async (path, client, say) => {
  const meter = notingMeter()
  const headers = { 'x-account': 'acme', 'x-case': 'web' }
  const answer = await honoApp(meter).fetch(new Request(`http://x${path}`, { headers }))
  const reader = answer.body?.getReader()
  await reader?.read()
  if (path === '/v1/stream') expect(meter.facts).toEqual([])
  if (client === 'cuts') await reader!.cancel()
  else if (client === 'fails') await expect(readAll(reader!)).rejects.toThrow('the source has failed')
  else if (reader) await readAll(reader)
  expect(meter.facts.map(({ status }) => `${answer.status} ${status}`)).toEqual([say])
})

test('fastify over HTTP/2: a stream that is reset is 499, one that fails here has the status that left', async () => {
  const meter = notingMeter()
  const app = fastify({ http2: true, http2SessionTimeout: 1000 })
  await app.register(meterFastify(meter, { ...OPTIONS, account: () => 'acme' }) as never)
  app.get('/whole', () => 'ok')
  app.get('/cut', (_request, reply) => void reply.hijack().raw.write('begun'))
  app.get('/broken', (_request, reply) => {
    reply.hijack().raw.write('begun', () => reply.raw.stream.destroy(new Error('failed')))
  })
  const session = connectHttp2(await app.listen({ port: 0, host: '127.0.0.1' }))
  session.on('error', () => {})
  for (const path of ['/whole', '/cut', '/broken']) {
    const stream = session.request({ ':path': path })
    stream.on('error', () => {}).on('data', () => path === '/cut' && stream.close(8))
    await new Promise((resolve) => stream.on('close', resolve))
  }
  await vi.waitFor(() => expect(meter.facts).toHaveLength(3))
  session.destroy()
  await app.close()
  expect(meter.facts.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
    'GET /whole 200',
    'GET /cut 499',
    'GET /broken 200',
  ])
})

test('what an option throws, and a listener, is told and counted, and fails no request', async () => {
  const meter = notingMeter()
  const told: string[] = []
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const app = new Hono()
  const onUnmetered = ({ code }: { readonly code: string }) => {
    told.push(code)
    throw new Error('from the listener')
  }
  const metering = (['account', 'operation', 'project', 'region', 'skip'] as const).map((name) =>
    meterHono(meter, { ...OPTIONS, [name]: throwing, onUnmetered }),
  )
  app.use(...metering).get('/', (c) => c.text('ok'))
  const answer = await app.request('/')
  expect([answer.status, await answer.text()]).toEqual([200, 'ok'])
  expect(told).toEqual(Array(5).fill('sdk/option_failed'))
  expect(metering.map(({ unmetered }) => unmetered().failed)).toEqual([1, 1, 1, 1, 1])
  expect(warn).toHaveBeenCalledTimes(5)
  expect(meter.facts).toEqual([])
  warn.mockRestore()
})

test('without a listener, the 1st, 10th and 100th request of nobody are on the console', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const app = new Hono()
  app.use(meterHono(notingMeter(), { account: () => undefined })).get('/', (c) => c.text('ok'))
  for (let at = 0; at < 120; at++) await (await app.request('/')).text()
  expect(warn.mock.calls.map(([say]) => /\(.*?\)/.exec(String(say))![0])).toEqual(
    [1, 10, 100].map((count) => `(sdk/no_account, ${count} until now)`),
  )
  warn.mockRestore()
})

function throwing(): never {
  throw new Error('from an option')
}

async function callAll(url: string): Promise<void> {
  for (const { method, path } of CALLS) await (await fetch(url + path, { method })).text()
}

function expectOperations(facts: readonly RequestFact[], column: 'express' | 'fastify' | 'hono'): void {
  const wanted = ROUTES.map((row) => row[column]).filter((operation) => operation !== '-')
  expect(facts.map(({ operation }) => operation)).toEqual(wanted)
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
