import { Pool } from 'undici'
import { quantile } from '../figures.ts'
import { cpuSeconds, doTasks } from '../run/tasks.ts'
import { type Load, makeBodies } from './bodies.ts'

/** Where the prepared bodies go. */
export interface Target {
  readonly url: string
  readonly key: string
  readonly connections: number
}

export interface Sent {
  readonly seconds: number
  /** From sending a request to its whole answer. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly outcomes: Readonly<Record<string, number>>
  readonly cpuSeconds: number
}

let bodies: readonly Buffer[] = []
let type = ''

// The sender: it makes its bodies before the clock starts, and keeps every connection busy with one request.
doTasks({
  prepare(load: Load) {
    bodies = makeBodies(load)
    type = load.batch === 1 ? 'application/json' : 'application/cloudevents-batch+json'
    return bodies.reduce((bytes, body) => bytes + body.length, 0)
  },
  send,
})

async function send({ url, key, connections }: Target): Promise<Sent> {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const headers = { 'content-type': type, authorization: `Bearer ${key}` }
  const latencies: number[] = []
  const outcomes: Record<string, number> = {}
  const waiting = bodies.values()
  const before = { ms: performance.now(), cpu: cpuSeconds() }
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (const body of waiting) {
        const sentAt = performance.now()
        const answer = await pool.request({ path: '/v1/events', method: 'POST', headers, body })
        const text = await answer.body.text()
        latencies.push(performance.now() - sentAt)
        if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${text}`)
        count(outcomes, JSON.parse(text) as Record<string, unknown>)
      }
    }),
  )
  const seconds = (performance.now() - before.ms) / 1000
  const spent = cpuSeconds() - before.cpu
  await pool.close()
  const latencyMs = { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
  return { seconds, latencyMs, outcomes, cpuSeconds: spent }
}

function count(outcomes: Record<string, number>, answer: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(answer)) {
    if (typeof value === 'number') outcomes[name] = (outcomes[name] ?? 0) + value
  }
}
