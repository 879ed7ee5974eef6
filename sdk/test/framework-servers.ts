import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { meterRequests as meterExpress } from '../src/express.ts'
import { meterRequests as meterFastify } from '../src/fastify.ts'
import { meterRequests as meterHono } from '../src/hono.ts'
import type { Meter } from '../src/create-meter.ts'
import type { UnmeteredCounts } from '../src/request-metering.ts'

/**
 * The same API in each framework, as its own documentation would write it. A request says who pays (`x-account`), and
 * for which row of the test's table it is (`x-case`).
 */
export interface FrameworkServer {
  readonly url: string
  readonly unmetered: () => UnmeteredCounts
  readonly close: () => Promise<void>
}

/** As Express 5 in its types, and in all that these servers use. */
export const express4 = createRequire(import.meta.url)('express4') as typeof express

/** What the handlers of `/v1/slow` have begun. */
export const reached = new EventEmitter()

type Metered = Pick<Meter, 'request'>
type Header = (name: string) => string | undefined

/** Every call is one of an operation that the price book knows; where it came from is its project. */
function optionsOf<Request>(header: (request: Request) => Header, path: (request: Request) => string) {
  return {
    account: (request: Request) => header(request)('x-account'),
    operation: (_: Request, route: string | undefined) => route && 'SimpleQuery',
    project: (request: Request) => header(request)('x-case'),
    region: () => 'eu-1',
    skip: (request: Request) => path(request) === '/health',
    onUnmetered() {},
  }
}

/** Some bytes now, more later, and then the end, never an end, or an error. */
async function* parts(ending: 'ends' | 'never' | 'breaks'): AsyncGenerator<Uint8Array> {
  const most = ending === 'never' ? Infinity : 3
  for (let part = 0; part < most; part++) {
    yield Buffer.alloc(1000, 'x')
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (ending === 'breaks' && part === 1) throw new Error('the source has failed')
  }
}

export const expressServer = (meter: Metered) => serverOf(express, meter)
export const express4Server = (meter: Metered) => serverOf(express4, meter)

async function serverOf(framework: typeof express, meter: Metered): Promise<FrameworkServer> {
  const app = framework()
  const metering = meterExpress(
    meter,
    optionsOf(
      (request: express.Request) => (name) => request.header(name),
      ({ path }) => path,
    ),
  )
  app.set('env', 'test').use(metering)
  app.get('/health', (_request, response) => void response.send('ok'))
  const v1 = framework.Router()
  v1.get('/photos/:id', (request, response) => void response.json({ id: request.params.id }))
  v1.post('/photos', framework.json(), (_request, response) => void response.status(201).send('made'))
  v1.get('/status/:status', (request, response) => void response.status(Number(request.params.status)).end())
  v1.get('/thrown', () => {
    throw new Error('thrown')
  })
  v1.get('/stream', (_request, response) => void Readable.from(parts('ends')).pipe(response))
  v1.get('/endless', (_request, response) => {
    const source = Readable.from(parts('never'))
    response.on('close', () => source.destroy())
    source.pipe(response)
  })
  v1.get('/broken', (_request, response, next) => {
    const write = async () => {
      for await (const part of parts('breaks')) response.write(part)
    }
    // Express 4 does not look at a promise.
    write().catch(next)
  })
  v1.get('/changed', (_request, response) => {
    response.write('begun')
    response.statusCode = 500
    response.end('the end')
  })
  v1.get('/slow', (request) => void reached.emit('slow', request.header('x-case')))
  app.use('/v1', v1)
  return listening(app.listen(0, '127.0.0.1'), metering)
}

export async function fastifyServer(meter: Metered): Promise<FrameworkServer> {
  const app = fastify({ forceCloseConnections: true })
  const metering = meterFastify(
    meter,
    optionsOf(
      (request) => (name) => request.headers[name] as string | undefined,
      ({ url }) => url,
    ),
  )
  await app.register(metering)
  app.get('/health', () => 'ok')
  await app.register(
    async (v1) => {
      v1.get('/photos/:id', (request) => ({ id: (request.params as { id: string }).id }))
      v1.post('/photos', (_request, reply) => reply.code(201).send('made'))
      v1.get('/status/:status', (request, reply) =>
        reply.code(Number((request.params as { status: string }).status)).send(),
      )
      v1.get('/thrown', async () => Promise.reject(new Error('thrown')))
      v1.get('/stream', (_request, reply) => reply.send(Readable.from(parts('ends'))))
      v1.get('/endless', (_request, reply) => reply.send(Readable.from(parts('never'))))
      v1.get('/broken', (_request, reply) => reply.send(Readable.from(parts('breaks'))))
      v1.get('/changed', (_request, reply) => {
        reply.hijack()
        reply.raw.write('begun')
        reply.raw.statusCode = 500
        reply.raw.end('the end')
      })
      v1.get('/slow', (request, reply) => {
        reply.hijack()
        reached.emit('slow', request.headers['x-case'])
      })
    },
    { prefix: '/v1' },
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { ...(await listening(app.server, metering)), close: () => app.close() }
}

export async function honoServer(meter: Metered): Promise<FrameworkServer> {
  const app = honoApp(meter)
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  const { metering } = app
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return listening(server, metering)
}

function stream(ending: Parameters<typeof parts>[0]): Response {
  return new Response(Readable.toWeb(Readable.from(parts(ending), { objectMode: false })) as ReadableStream)
}

/** Also without a server: `app.fetch` is what other runtimes call. */
export function honoApp(meter: Metered) {
  const app = new Hono<{ Bindings: HttpBindings }>()
  const metering = meterHono(
    meter,
    optionsOf(
      (c) => (name) => c.req.header(name),
      (c) => c.req.path,
    ),
  )
  app.use(metering)
  // Without a handler Hono writes errors on the console.
  app.onError((_error, c) => c.text('failed', 500))
  app.get('/health', (c) => c.text('ok'))
  const v1 = new Hono<{ Bindings: HttpBindings }>()
  v1.get('/photos/:id', (c) => c.json({ id: c.req.param('id') }))
  v1.post('/photos', async (c) => c.json(await c.req.json(), 201))
  v1.get('/status/:status', (c) => c.body(null, Number(c.req.param('status')) as 204))
  v1.get('/thrown', () => {
    throw new Error('thrown')
  })
  v1.get('/stream', () => stream('ends'))
  v1.get('/endless', () => stream('never'))
  v1.get('/broken', () => stream('breaks'))
  v1.get('/changed', (c) => {
    const { outgoing } = c.env
    outgoing.write('begun')
    outgoing.statusCode = 500
    outgoing.end('the end')
    return RESPONSE_ALREADY_SENT
  })
  v1.get('/slow', (c) => {
    reached.emit('slow', c.req.header('x-case'))
    return new Promise<Response>(() => {})
  })
  app.route('/v1', v1)
  return Object.assign(app, { metering })
}

async function listening(server: Server, { unmetered }: Pick<FrameworkServer, 'unmetered'>) {
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    unmetered,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
