import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { quantile } from '../figures.ts'
import { doTasks } from '../run/tasks.ts'

/** Hours that pass quickly: one after the other, from `firstHour` on, each for as long. */
export interface FastHours {
  readonly firstHour: number
  /** Milliseconds since 1970 at which the first of them begins. */
  readonly startedAt: number
  readonly hourMs: number
}

/** Requests of one key, at a steady pace, for some time. */
export interface Sending {
  readonly url: string
  readonly key: string
  readonly connections: number
  /** Events of a request. */
  readonly batch: number
  /** Of all connections; undefined: as many as go. */
  readonly requestsPerSecond?: number
  readonly seconds: number
  readonly accounts: number
  readonly hours: FastHours
}

export interface SentForLong {
  /** Events that were answered, each once however often it was sent, by account. */
  readonly events: Readonly<Record<string, number>>
  readonly requests: number
  /** Answers that asked to come again. */
  readonly refused: number
  /** Events that were sent once more, as by a client that missed the answer. */
  readonly repeated: number
  /** Of a request, from sending it to its whole answer; refused ones are not among them. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

const HOUR_MS = 3_600_000
/** Every so manieth request is sent twice. */
const TWICE = 100

doTasks({ send })

async function send(sending: Sending): Promise<SentForLong> {
  const { url, key, connections, requestsPerSecond, seconds } = sending
  const pool = new Pool(url, { connections, pipelining: 1 })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const events: Record<string, number> = {}
  const latencies: number[] = []
  const counted = { requests: 0, refused: 0, repeated: 0 }
  const until = performance.now() + seconds * 1000
  const intervalMs = requestsPerSecond === undefined ? 0 : (connections * 1000) / requestsPerSecond

  /** @returns how long the answer took, of the attempt that had one */
  async function request(body: string): Promise<number> {
    for (;;) {
      const sentAt = performance.now()
      const answer = await pool.request({ path: '/v1/events', method: 'POST', headers, body })
      const text = await answer.body.text()
      if (answer.statusCode === 200) {
        const { accepted, duplicates } = JSON.parse(text) as { accepted: number; duplicates: number }
        if (accepted + duplicates !== sending.batch) throw new Error(`not taken: ${text}`)
        return performance.now() - sentAt
      }
      if (answer.statusCode !== 429 && answer.statusCode !== 503)
        throw new Error(`answered ${answer.statusCode}: ${text}`)
      counted.refused++
      await sleep(1000 * Number(answer.headers['retry-after'] ?? 1) * (0.5 + Math.random()))
    }
  }

  async function sendInTurn(index: number): Promise<void> {
    // Connections are spread over the interval.
    let due = performance.now() + (intervalMs * index) / connections
    while (due < until && performance.now() < until) {
      await sleep(Math.max(0, due - performance.now()))
      due = Math.max(due + intervalMs, performance.now() - 10 * intervalMs)
      const { body, accounts } = makeBody(sending)
      latencies.push(await request(body))
      counted.requests++
      for (const account of accounts) events[account] = (events[account] ?? 0) + 1
      if (counted.requests % TWICE === 0) {
        await request(body)
        counted.repeated += sending.batch
      }
    }
  }

  await Promise.all(Array.from({ length: connections }, (_, index) => sendInTurn(index)))
  await pool.close()
  const latencyMs = { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
  return { events, ...counted, latencyMs }
}

function makeBody({ batch, accounts, hours }: Sending): { body: string; accounts: readonly string[] } {
  const made = Array.from({ length: batch }, () => makeEvent(accounts, hours))
  const body = batch === 1 ? JSON.stringify(made[0]) : JSON.stringify(made)
  return { body, accounts: made.map(({ subject }) => subject) }
}

function makeEvent(accounts: number, { firstHour, startedAt, hourMs }: FastHours) {
  const passed = (Date.now() - startedAt) / hourMs
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'bench/load',
    type: 'farthing.request',
    subject: `account-${Math.floor(Math.random() * accounts)}`,
    time: new Date(Math.floor((firstHour + passed) * HOUR_MS)).toISOString(),
    data: { operation: 'SimpleQuery', status: 200, project: 'photos', region: 'eu-central' },
  }
}
