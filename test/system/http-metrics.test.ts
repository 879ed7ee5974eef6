import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantee: what a server counts is its own, in the text format of Prometheus, beside figures of its process.

let server: TestServer
let other: TestServer
beforeAll(async () => {
  server = await testServer()
  other = await testServer()
})
afterAll(() => Promise.all([server.close(), other.close()]))

/** Samples by their name with labels. Each line has to be one, or a comment, or empty. */
async function samples(from: TestServer): Promise<ReadonlyMap<string, number>> {
  const { text, headers } = await from.ask('/metrics')
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('# '))
  const read = lines.map((line) => /^([a-z_:]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? [line, line, 'NaN'])
  const values = new Map(read.map(([, name, value]) => [name!, Number(value)]))
  expect(
    [...values].filter(([name, value]) => Number.isNaN(value) && !name.startsWith('nodejs_eventloop')),
  ).toEqual([])
  const types = text.match(/^# TYPE \S+/gm)!
  expect(new Set(types).size).toBe(types.length)
  return values
}

/** The server of this test has a PostgreSQL of the test run, and so no data directory; no bills yet, and no log. */
const NOT_YET = [
  'farthing_disk_free_bytes',
  'farthing_cycle_lag_seconds',
  'farthing_log_checkpoint_age_seconds',
]

const EVENTS = (outcome: string) => `farthing_events_total{outcome="${outcome}"}`

describe('metrics', () => {
  test('count events by outcome, from 0, each server its own', async () => {
    const before = await samples(server)
    for (const outcome of ['accepted', 'duplicate', 'conflict', 'held', 'rejected'])
      expect([outcome, before.get(EVENTS(outcome))]).toEqual([outcome, 0])
    await server.send([requestEvent('1'), requestEvent('1'), requestEvent('2', { time: 'noon' })])
    await server.ask('/api/v1/events', {
      method: 'POST',
      type: 'application/cloudevents+json',
      body: JSON.stringify(requestEvent('3')),
    })
    const after = await samples(server)
    expect(after.get(EVENTS('accepted'))).toBe(2)
    expect(after.get(EVENTS('duplicate'))).toBe(1)
    expect(after.get(EVENTS('rejected'))).toBe(1)
    expect((await samples(other)).get(EVENTS('accepted'))).toBe(0)
  })

  test('count requests by method, route and status, and how long they took', async () => {
    const name = 'farthing_http_requests_total{method="GET",route="/v1/bills/:id",status="404"}'
    const before = await samples(server)
    for (const id of ['a', 'b', 'c']) await server.ask(`/v1/bills/${id}`)
    await server.ask('/v1/nothing')
    const after = await samples(server)
    expect(after.get(name)! - (before.get(name) ?? 0)).toBe(3)
    expect(after.get('farthing_http_requests_total{method="GET",route="none",status="404"}')).toBe(1)
    // Those of between, and the one that has asked before.
    expect(after.get('farthing_http_seconds_count')! - before.get('farthing_http_seconds_count')!).toBe(5)
    expect(after.get('farthing_http_seconds_bucket{le="+Inf"}')).toBe(
      after.get('farthing_http_seconds_count'),
    )
    expect(after.get('farthing_http_seconds_sum')).toBeGreaterThan(0)
    expect((await samples(other)).has(name)).toBe(false)
  })

  test('have the hours, the process and its event loop', async () => {
    const read = await samples(server)
    for (const name of [
      'farthing_sealed_age_seconds',
      'farthing_settled_age_seconds',
      'farthing_hours_without_bills',
      'farthing_oldest_unsettled_hour_age_seconds',
      'farthing_hours_due',
      'farthing_hour_in_danger',
      'farthing_sealing_stopped',
      'farthing_clock_gain_seconds',
      'farthing_silent_sources',
      'farthing_body_bytes_held',
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect([name, typeof read.get(name)]).toEqual([name, 'number'])
    }
    // No hour has bills yet: nothing is said of how long the newest took.
    expect(read.has('farthing_cycle_lag_seconds')).toBe(false)
  })
})

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly annotations: { readonly summary: string; readonly action: string }
}

test('the example of alerts asks for metrics that there are, with their labels, and says what to do', async () => {
  const { groups } = parse(readFileSync('deploy/alerts.yaml', 'utf8')) as { groups: { rules: Rule[] }[] }
  const rules = groups.flatMap((group) => group.rules)
  const { text } = await server.ask('/metrics')
  const kinds = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const asked = new Set<string>()
  for (const { alert, expr, annotations } of rules) {
    expect([alert, annotations.summary, annotations.action]).not.toContain(undefined)
    for (const [, name, label, value] of expr.matchAll(/(farthing_\w+)(?:\{(\w+)=~?"([^"]+)"\})?/g)) {
      if (NOT_YET.includes(name!)) continue
      expect([alert, kinds.has(name)]).toEqual([alert, true])
      asked.add(name!)
      if (label === 'outcome') expect(text).toContain(`${name}{outcome="${value}"}`)
      else if (label !== undefined) expect(text).toMatch(new RegExp(`^${name}\\{[^}]*${label}=`, 'm'))
    }
  }
  // What docs/operations.md has a limit for.
  const page = readFileSync('docs/operations.md', 'utf8')
  const limits = [...page.matchAll(/^\| `(farthing_\w+)` \| (?:over|under|1 )/gm)].map(([, name]) => name!)
  expect(limits.length).toBeGreaterThan(5)
  const alarmed = rules.map(({ expr }) => expr).join()
  expect(limits.filter((name) => !alarmed.includes(name))).toEqual([])
})
