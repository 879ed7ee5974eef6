import { Agent, type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { table } from '../../test/table.ts'
import { createMeter, type Meter, type RequestFact } from '../src/create-meter.ts'
import { usageOf } from './auditor.ts'
import {
  express4Server,
  expressServer,
  fastifyServer,
  type FrameworkServer,
  honoServer,
  reached,
} from './framework-servers.ts'

/** Real servers of each framework, real sockets, and a real Farthing behind them. */

let farthing: TestServer
let meter: Meter
let facts: RequestFact[] = []
let server: FrameworkServer
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

beforeAll(async () => {
  // Where servers say what has thrown.
  vi.spyOn(console, 'error').mockImplementation(() => {})
  farthing = await testServer()
  meter = createMeter({ url: farthing.url, key: farthing.adminKey, source: '/frameworks', batchMs: 10 })
})
afterEach(async () => {
  await server.close()
  facts = []
})
afterAll(async () => {
  await meter.close()
  agent.destroy()
  await farthing.close()
})

/** Notes what is metered, and passes it on. */
const noting: Pick<Meter, 'request'> = {
  request(fact) {
    facts.push(fact)
    return meter.request(fact)
  },
}

const FRAMEWORKS = {
  express: expressServer,
  express4: express4Server,
  fastify: fastifyServer,
  hono: honoServer,
}
const NAMES = Object.keys(FRAMEWORKS) as (keyof typeof FRAMEWORKS)[]

/**
 * What is counted for a request. A client that cuts does so in the middle of the answer, or of what it sends, or while
 * it waits for an answer. `left`: the status that came.
 */
const CALLS = table(`
  case        | method | path          | the client          | left | counted | billed
  answered    | GET    | /v1/photos/7  | reads               | 200  | 200     | yes
  made        | POST   | /v1/photos    | reads               | 201  | 201     | yes
  head        | HEAD   | /v1/photos/7  | reads               | 200  | 200     | yes
  empty       | GET    | /v1/status/204| reads               | 204  | 204     | yes
  unchanged   | GET    | /v1/status/304| reads               | 304  | 304     | yes
  refused     | GET    | /v1/status/403| reads               | 403  | 403     | yes
  overloaded  | GET    | /v1/status/503| reads               | 503  | 503     | no
  thrown      | GET    | /v1/thrown    | reads               | 500  | 500     | no
  stream      | GET    | /v1/stream    | reads               | 200  | 200     | yes
  changed     | GET    | /v1/changed   | reads               | 200  | 200     | yes
  broken      | GET    | /v1/broken    | reads what there is | 200  | 200     | yes
  cut         | GET    | /v1/endless   | cuts the answer     | 200  | 499     | yes
  impatient   | GET    | /v1/slow      | cuts while it waits |      | 499     | yes
  half sent   | POST   | /v1/photos    | cuts what it sends  |      | 499     | yes
  nowhere     | GET    | /v2/photos/7  | reads               | 404  |         |
  health      | GET    | /health       | reads               | 200  |         |
`)
type Call = (typeof CALLS)[number]

const TIMES = 3

test.each(NAMES)('%s: each request is counted once, with the status that left', async (name) => {
  server = await FRAMEWORKS[name](noting)
  const account = `of-${name}`
  for (let time = 0; time < TIMES; time++) {
    for (const call of CALLS) expect([call.case, await make(call, account)]).toEqual([call.case, call.left])
  }
  const metered = CALLS.filter(({ counted }) => counted !== '')
  await until(() => facts.length >= metered.length * TIMES)
  const thrice = metered.flatMap((call) => Array<Call>(TIMES).fill(call))
  expect(rows(facts.map(({ project, status }) => [project, status] as const))).toEqual(
    rows(thrice.map(({ case: row, counted }) => [row, Number(counted)] as const)),
  )
  expect(server.unmetered()).toEqual({ skipped: TIMES, noOperation: TIMES, noAccount: 0, failed: 0 })

  expect(await meter.flush()).toBe(true)
  const billed = metered.map(
    ({ case: row, billed: is }) =>
      [`SimpleQuery ${row} ${is === 'yes' ? 'billed' : 'waived'}`, BigInt(TIMES)] as const,
  )
  expect(await usageOf(farthing.url, farthing.adminKey, account)).toEqual(
    new Map([...billed].sort(([a], [b]) => (a < b ? -1 : 1))),
  )
})

test.each(NAMES)('%s: answers that wait behind one on a connection that is cut are cut too', async (name) => {
  server = await FRAMEWORKS[name](noting)
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  socket.on('error', () => {})
  const isReached = new Promise((resolve) => reached.once('slow', resolve))
  socket.write(head('/v1/photos/1') + head('/v1/slow') + head('/v1/photos/2') + head('/v1/status/503'))
  await isReached
  await new Promise((resolve) => setTimeout(resolve, 30))
  socket.destroy()
  await until(() => facts.length >= 4)
  expect(facts.map(({ status }) => status)).toEqual([200, 499, 499, 499])
})

test.each(NAMES)('%s: a meter that is full, slow or broken fails and delays no request', async (name) => {
  const behaviours: readonly (() => Promise<boolean>)[] = [
    () => Promise.resolve(false),
    () => new Promise(() => {}),
    () => Promise.reject(new Error('rejected')),
    () => {
      throw new Error('thrown')
    },
  ]
  let at = 0
  server = await FRAMEWORKS[name]({ request: () => behaviours[at++]!() })
  for (const _ of behaviours) expect(await make(CALLS[0]!, 'a')).toBe('200')
  await until(() => server.unmetered().failed >= 3)
  expect(at).toBe(4)
  expect(server.unmetered()).toMatchObject({ failed: 3 })
})

test.each(NAMES)('%s: a request of nobody is answered, not metered, and counted', async (name) => {
  server = await FRAMEWORKS[name](noting)
  for (const account of ['', undefined]) expect(await make(CALLS[0]!, account)).toBe('200')
  await until(() => server.unmetered().noAccount === 2)
  expect(facts).toEqual([])
})

function rows(of: readonly (readonly unknown[])[]): readonly string[] {
  return of.map((row) => row.join(' ')).sort()
}

function head(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: x\r\nx-account: a\r\nx-case: piped\r\n\r\n`
}

/** @returns the status that came, "" when none did */
function make({ method, path, case: row, 'the client': client }: Call, account?: string): Promise<string> {
  const headers = { 'x-case': row, ...(account === undefined ? {} : { 'x-account': account }) }
  const isPost = method === 'POST'
  const more = isPost ? { 'content-type': 'application/json', 'content-length': 2 } : {}
  const options = { method, agent, headers: { ...headers, ...more } }
  return new Promise((resolve) => {
    const outgoing = request(server.url + path, options, (incoming) => {
      incoming.on('error', () => {}).on('close', () => resolve(String(incoming.statusCode)))
      if (client === 'cuts the answer') incoming.once('data', () => incoming.destroy())
      else incoming.resume()
    })
    outgoing.on('error', () => resolve(''))
    if (client === 'cuts while it waits') reached.once('slow', () => outgoing.destroy())
    if (client === 'cuts what it sends') sendHalf(outgoing)
    else outgoing.end(isPost ? '{}' : undefined)
  })
}

function sendHalf(outgoing: ClientRequest): void {
  outgoing.write('{', () => setTimeout(() => outgoing.destroy(), 30))
}

/** Waits for what must come; and then a little, for what must not. */
async function until(isMet: () => boolean): Promise<void> {
  for (let waited = 0; !isMet() && waited < 3000; waited += 10) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await new Promise((resolve) => setTimeout(resolve, 30))
}
