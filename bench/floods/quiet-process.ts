import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { quantile } from '../figures.ts'
import { doTasks } from '../run/tasks.ts'

/** A key that does what it should: single events at a steady pace, and a question now and then. */
export interface Quiet {
  readonly url: string
  readonly key: string
  readonly account: string
  readonly seconds: number
}

export interface QuietLatencies {
  readonly eventsMs: { readonly p50: number; readonly p99: number }
  readonly questionsMs: { readonly p50: number; readonly p99: number }
  readonly healthzMaxMs: number
  /** Answers other than 200. */
  readonly refused: number
}

const EVENTS_PER_SECOND = 50
const QUESTION_EVERY_MS = 1_000
const HEALTHZ_EVERY_MS = 100

doTasks({ measure })

async function measure({ url, key, account, seconds }: Quiet): Promise<QuietLatencies> {
  const pools = { events: new Pool(url, { connections: 16 }), questions: new Pool(url, { connections: 4 }) }
  const healthz = new Pool(url, { connections: 4 })
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const until = performance.now() + seconds * 1000
  let refused = 0

  /** One request at each tick, whether or not those before are answered: a slow answer delays no other. */
  async function paced(everyMs: number, request: () => Promise<number>): Promise<readonly number[]> {
    const latencies: Promise<number>[] = []
    for (let due = performance.now(); due < until; due += everyMs) {
      await sleep(Math.max(0, due - performance.now()))
      latencies.push(timed(request))
    }
    return Promise.all(latencies)
  }

  async function timed(request: () => Promise<number>): Promise<number> {
    const from = performance.now()
    const status = await request().catch(() => 0)
    if (status !== 200) refused++
    return performance.now() - from
  }

  const post = async () => {
    const body = JSON.stringify(event(account))
    const answer = await pools.events.request({ path: '/v1/events', method: 'POST', headers, body })
    await answer.body.dump()
    return answer.statusCode
  }
  const get = (pool: Pool, path: string) => async () => {
    const answer = await pool.request({ path, method: 'GET', headers })
    await answer.body.dump()
    return answer.statusCode
  }
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
  const usage = `/v1/usage?from=${day(Date.now())}&to=${day(Date.now() + 86_400_000)}`
  const [events, questions, probes] = await Promise.all([
    paced(1_000 / EVENTS_PER_SECOND, post),
    paced(QUESTION_EVERY_MS, get(pools.questions, usage)),
    paced(HEALTHZ_EVERY_MS, get(healthz, '/healthz')),
  ])
  await Promise.all([pools.events.close(), pools.questions.close(), healthz.close()])
  return {
    eventsMs: { p50: quantile(events, 0.5), p99: quantile(events, 0.99) },
    questionsMs: { p50: quantile(questions, 0.5), p99: quantile(questions, 0.99) },
    healthzMaxMs: Math.max(...probes),
    refused,
  }
}

function event(account: string) {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'bench/quiet',
    type: 'farthing.request',
    subject: account,
    time: new Date().toISOString(),
    data: { operation: 'SimpleQuery', status: 200 },
  }
}
