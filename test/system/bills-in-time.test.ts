import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatHour, type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { startBackgroundJobs } from '../../src/flows/background-jobs.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'

// Guarantees: after an outage of days hours are made up for by themselves, in order, and said; every hour shows its lag;
// and it can be seen which sources send late.

const now = hourOf(Date.now() as Instant)
const HOURS = 50
const first = (now - HOURS) as Hour
const GRACE_MS = 600_000

let server: TestServer
const logged: { readonly text: string; readonly fields: Record<string, unknown> }[] = []
beforeAll(async () => {
  server = await testServer({ firstHour: first })
})
afterAll(() => server.close())

function calls(source: string, hour: number, count: number, more: Record<string, unknown> = {}) {
  return Array.from({ length: count }, (_, index) =>
    requestEvent(`${hour}-${index}`, {
      source,
      subject: `account-${index % 3}`,
      time: new Date(hour * 3_600_000 + index * 1_000).toISOString(),
      ...more,
    }),
  )
}

// oxlint-disable-next-line typescript/no-explicit-any -- what the API answers
async function list(path: string): Promise<readonly any[]> {
  const { status, json, text } = await server.ask(path)
  expect([status, text]).toEqual([200, text])
  return json.items
}

async function metric(name: string): Promise<number> {
  const { text } = await server.ask('/metrics')
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

describe('a server that was away for two days', () => {
  test('before it is back: hours are due, in danger and late', async () => {
    for (let hour = first; hour < now; hour++) {
      expect((await server.send(calls('prompt', hour, 6))).json.accepted).toBe(6)
    }
    expect(await metric('farthing_hour_in_danger')).toBe(1)
    expect(await metric('farthing_hours_due')).toBeGreaterThanOrEqual(HOURS - 1)
    expect(await metric('farthing_oldest_unsettled_hour_age_seconds')).toBeGreaterThan((HOURS - 1) * 3_600)
    const oldest = (await list('/v1/cycles?limit=1000')).at(-1)
    expect(oldest).toMatchObject({ state: 'open', late: true, inDanger: true, bills: null, settledAt: null })
  })

  test('it settles every hour in order, says how far it is, and warns once', async () => {
    const note = (fields: object, text: string) => void logged.push({ text, fields: { ...fields } })
    const log = { info: note, warn: note, error: note }
    const identityWindowMs = 62 * 86_400_000
    const { pool } = server.database
    const settler = startBackgroundJobs({
      pool,
      log,
      graceMs: GRACE_MS,
      backfillQuietMs: 1_000,
      identityWindowMs,
    })
    const caughtUp = () => logged.some(({ text }) => text.startsWith('Caught up'))
    while (!caughtUp()) await sleep(50)
    await settler.stop()
    const settled = logged
      .filter(({ text }) => text === 'Settled an hour')
      .map(({ fields }) => fields['hour'])
    const due = hourOf((Date.now() - GRACE_MS) as Instant) - first
    expect(settled).toEqual(Array.from({ length: due }, (_, index) => formatHour((first + index) as Hour)))
    const progress = logged.filter(({ text }) => text.startsWith('Catching up'))
    expect(progress[0]!.fields).toMatchObject({ hoursLeft: due })
    expect(logged.filter(({ text }) => text.startsWith('An hour is in danger'))).toHaveLength(1)
  })

  test('every hour shows when it ended, when it had its bills, and the lag between', async () => {
    const cycles = (await list('/v1/cycles?limit=1000')).filter(({ state }) => state === 'settled')
    expect(cycles.length).toBeGreaterThanOrEqual(HOURS - 1)
    for (const { cycle, endedAt, settledAt, lagSeconds, late, inDanger, bills, corrections } of cycles) {
      expect(endedAt).toBe(cycle.to)
      expect(lagSeconds).toBeCloseTo((Date.parse(settledAt) - Date.parse(endedAt)) / 1000, 2)
      expect([late, inDanger, bills, corrections]).toEqual([lagSeconds > 3_600, false, 3, 0])
    }
    expect(await metric('farthing_hours_due')).toBe(0)
    expect(await metric('farthing_cycle_lag_seconds')).toBe(cycles[0].lagSeconds)
  })

  test('a key of one account does not see how many bills others have', async () => {
    const answer = await server.ask('/v1/cycles', { key: await server.key(['usage:read'], 'account-1') })
    expect(answer.json.items.at(-1)).toMatchObject({ state: 'settled', bills: null, corrections: null })
  })
})

describe('sources', () => {
  const range = `from=${formatHour(first)}&to=${formatHour((first + 2) as Hour)}`

  test('show how many of their events and lines came late, by page and by account', async () => {
    const odd = { data: { operation: 'SimpleQuery', status: 200, project: 'p', note: 'a\\u0000' } }
    expect((await server.send(calls('tardy', first, 6, odd))).json.accepted).toBe(6)
    await server.settle({ graceMs: -3_600_000 })
    const [prompt, tardy] = await list(`/v1/sources?${range}`)
    expect(prompt).toEqual({
      source: 'prompt',
      events: 12,
      lateEvents: 0,
      lines: 6,
      correctionLines: 0,
      share: 0,
      silentSince: null,
    })
    expect(tardy).toEqual({
      source: 'tardy',
      events: 6,
      lateEvents: 6,
      lines: 3,
      correctionLines: 3,
      share: 1,
      silentSince: null,
    })
    const own = await server.ask(`/v1/sources?${range}`, {
      key: await server.key(['usage:read'], 'account-1'),
    })
    expect(own.json.items.map(({ events, lines }: never) => [events, lines])).toEqual([
      [4, 2],
      [2, 1],
    ])
    const page = await server.ask(`/v1/sources?${range}&limit=1`)
    expect(page.json.items).toEqual([prompt])
    expect(await list(`/v1/sources?${range}&limit=1&cursor=${page.json.next}`)).toEqual([tardy])
    const newest = (await list('/v1/cycles')).find(({ corrections }) => corrections > 0)
    expect(newest).toMatchObject({ bills: 3, corrections: 3 })
  })

  test('of 31 days at most, of the last day by default', async () => {
    const long = await server.ask('/v1/sources?from=2025-01-01T00Z&to=2025-02-01T00Z')
    expect([long.status, long.json]).toEqual([200, { items: [], next: null }])
    const longer = await server.ask('/v1/sources?from=2025-01-01T00Z&to=2025-02-01T01Z')
    expect([longer.status, longer.json.code]).toEqual([400, 'request/range_too_long'])
    const [last] = await list('/v1/sources')
    expect(last).toMatchObject({ source: 'prompt', events: 23 * 6 })
  })
})
