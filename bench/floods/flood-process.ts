import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { newKeyText } from '../../src/flows/keys/key-text.ts'
import { doTasks } from '../run/tasks.ts'
import { type Flood, FLOOD_CONNECTIONS, hostileBodies } from './floods.ts'

export interface Flooding {
  readonly flood: Flood
  readonly url: string
  /** Of the key that floods; of no use to strangers. */
  readonly key: string
  readonly account: string
  readonly seconds: number
}

/** Answers by status; what broke without one is under `none`. */
export type Flooded = Readonly<Record<string, number>>

const SLOW_UPLOAD_BYTES = 16 * 2 ** 20

doTasks({ flood })

async function flood(flooding: Flooding): Promise<Flooded> {
  const { flood: kind, url, seconds } = flooding
  const until = performance.now() + seconds * 1000
  const connections = FLOOD_CONNECTIONS[kind]
  const counts: Record<string, number> = {}
  const count = (status: number | string) => (counts[status] = (counts[status] ?? 0) + 1)
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 })
  const once = kind === 'slow uploads' ? () => uploadSlowly(flooding, until) : requester(flooding, pool)
  const one = async () => {
    while (performance.now() < until) count(await once().catch(() => pause()))
  }
  await Promise.race([Promise.all(Array.from({ length: connections }, one)), sleep(seconds * 1000 + 2_000)])
  await pool.destroy()
  return counts
}

/** A connection that failed at once is not tried again in the same millisecond. */
async function pause(): Promise<'none'> {
  await sleep(20)
  return 'none'
}

function requester({ flood: kind, key, account }: Flooding, pool: Pool): () => Promise<number> {
  const hostile = kind === 'hostile bodies' ? hostileBodies() : []
  let sent = 0
  const json = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const ask = async (path: string, headers: Record<string, string>, body?: string | Buffer) => {
    const method = body === undefined ? 'GET' : 'POST'
    const answer = await pool.request({ path, method, headers, ...(body === undefined ? {} : { body }) })
    await answer.body.dump()
    return answer.statusCode
  }
  const events = (count: number) => JSON.stringify(Array.from({ length: count }, () => event(account)))
  const today = `/v1/usage?from=${new Date().toISOString().slice(0, 10)}&to=${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}`
  const askFor: Record<Exclude<Flood, 'slow uploads'>, () => Promise<number>> = {
    events: () => ask('/v1/events', json, JSON.stringify(event(account))),
    batches: () => ask('/v1/events', json, events(1_000)),
    'dry runs': () => ask('/v1/events?dryRun=true', json, events(1_000)),
    questions: () => ask(today, { authorization: `Bearer ${key}` }),
    'wrong keys': () => ask('/v1/bills', { authorization: `Bearer ${newKeyText()}` }),
    'hostile bodies': () => {
      const { path, headers, body } = hostile[sent++ % hostile.length]!
      return ask(path, { ...json, ...headers }, body)
    },
  }
  return askFor[kind as keyof typeof askFor]
}

/** Announce a large body, send one byte of it, and keep the connection until it is closed. */
function uploadSlowly({ url, key }: Flooding, until: number): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    const timer = setTimeout(() => socket.destroy(), Math.max(0, until - performance.now()))
    socket.on('connect', () => {
      const head = [
        'POST /v1/events HTTP/1.1',
        `host: ${hostname}`,
        `authorization: Bearer ${key}`,
        'content-type: application/json',
        `content-length: ${SLOW_UPLOAD_BYTES}`,
      ]
      socket.write(`${head.join('\r\n')}\r\n\r\n[`)
    })
    socket.on('data', (chunk) => (text += String(chunk)))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(/^HTTP\/1.1 (\d{3})/.exec(text)?.[1] ?? 'none')
    })
  })
}

function event(account: string) {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'bench/flood',
    type: 'farthing.request',
    subject: account,
    time: new Date().toISOString(),
    data: { operation: 'SimpleQuery', status: 200 },
  }
}
