import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { SHARES } from '../../bench/generate/calls.ts'
import { generate } from '../../bench/generate/command.ts'
import { generateDay } from '../../bench/generate/day.ts'
import { generateHour } from '../../bench/generate/hour.ts'
import { OPERATIONS, PRICE_CHANGE_MS, UNKNOWN_OPERATION } from '../../bench/generate/operations.ts'
import { DEMO_ACCOUNTS, SAMPLE } from '../../bench/generate/sample.ts'
import { inBlocks } from '../../bench/generate/wire.ts'
import { accept } from '../../src/core/ingest/accept.ts'
import { BUILT_IN_EVENT_TYPES } from '../../src/core/ingest/usage.ts'
import type { Instant } from '../../src/core/time/instant.ts'

interface Event {
  id: string
  source: string
  type: string
  subject: string
  time: string
  data: {
    operation: string
    status?: number
    count?: number
    task?: string
    outcome?: string
    quantities?: Record<string, number | string>
    dataset?: string
    bytes?: string
    project?: string
  }
}

const DAY_MS = 24 * 3_600_000
const dayStart = Date.parse('2025-07-28T00:00:00Z')
const README = readFileSync('samples/README.md', 'utf8')
const lines = Array.from(generateDay(SAMPLE))
const events = lines.map(parse)
const requests = events.filter((event) => event.type === 'farthing.request')
const processings = events.filter((event) => event.type === 'farthing.processing')
const levels = events.filter((event) => event.type === 'farthing.storage')

function parse(line: string): Event {
  return JSON.parse(line) as Event
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Is the share of those that hold near the documented one? A count of n varies by about the root of n. */
function expectShare(found: number, of: number, share: number): void {
  expect(Math.abs(found - of * share)).toBeLessThan(4 * Math.sqrt(of * share))
}

describe('the sample', () => {
  test('is what the generator makes', () => {
    const sample = readFileSync('samples/imm-day.ndjson.gz')
    expect(sample.length).toBeLessThan(1_200_000)
    const made = Buffer.concat(Array.from(inBlocks(lines)))
    expect(sha256(gunzipSync(sample)), 'stale: make it again as samples/README.md says').toBe(sha256(made))
    expect(README).toContain(sha256(made))
  })

  test('is described with its figures', () => {
    for (const { name } of DEMO_ACCOUNTS) {
      const count = events.filter(({ subject }) => subject === name).length
      expect(README).toMatch(new RegExp(`\\| \`${name}\` +\\| ${count} +\\|`))
    }
    expect(README).toContain(`${lines.length - new Set(lines).size} of them are retried deliveries`)
    const unknown = [...new Set(lines)].filter((line) => line.includes(`"${UNKNOWN_OPERATION.name}"`))
    expect(README).toContain(`its ${unknown.length} events`)
  })

  test('has as many lines as asked for, each accepted by the core', () => {
    expect(lines.length).toBe(SAMPLE.events)
    const receivedAt = (dayStart + DAY_MS) as Instant
    for (const line of lines) {
      const event = accept(JSON.parse(line), { receivedAt, eventTypes: BUILT_IN_EVENT_TYPES })
      expect(event).toHaveProperty('usage.component')
    }
  })

  test('names its accounts, and is inside its day', () => {
    const names = new Set(DEMO_ACCOUNTS.map(({ name }) => name))
    for (const { subject, time } of events) {
      expect(names.delete(subject) || DEMO_ACCOUNTS.some(({ name }) => name === subject)).toBe(true)
      expect(Date.parse(time) - dayStart).toBeGreaterThanOrEqual(0)
      expect(Date.parse(time) - dayStart).toBeLessThan(DAY_MS)
    }
    expect(names).toEqual(new Set())
  })

  test('has calls of the large accounts in every hour, and a tiny account', () => {
    for (const { name } of DEMO_ACCOUNTS.slice(0, 6)) {
      expect(new Set(callsOf(name).map(({ time }) => time.slice(11, 13))).size).toBe(24)
    }
    const tiny = callsOf('juniper-lab').length
    expect(tiny).toBeGreaterThan(0)
    expect(tiny).toBeLessThan(50)
  })

  test('has bodies, vehicles and mosaics on both sides of the change of prices', () => {
    for (const operation of ['DetectImageBodies', 'DetectImageCars', 'AddImageMosaic']) {
      const times = processings.filter(({ data }) => data.operation === operation).map(atMs)
      expect(times.some((time) => time < PRICE_CHANGE_MS)).toBe(true)
      expect(times.some((time) => time >= PRICE_CHANGE_MS)).toBe(true)
    }
  })
})

describe('a day', () => {
  test('depends on its options alone', () => {
    const options = { seed: 3, day: '2025-08-01', accounts: 40, events: 2_000 }
    const first = Array.from(generateDay(options))
    expect(Array.from(generateDay(options))).toEqual(first)
    expect(Array.from(generateDay({ ...options, seed: 4 }))).not.toEqual(first)
    expect(new Set(first.map((line) => parse(line).subject)).size).toBeGreaterThan(30)
  })

  test('has exactly the lines asked for, however few', () => {
    for (const count of [0, 1, 2, 3, 10, 100, 777]) {
      const options = { seed: count, day: '2025-08-01', accounts: 100, events: count }
      expect(Array.from(generateDay(options)).length).toBe(count)
    }
  })

  test('is refused if it is not in the calendar, or its bounds are passed', () => {
    expect(() => makeDay({ day: '2025-02-30' })).toThrow('not a day')
    expect(() => makeDay({ seed: 2 ** 32 })).toThrow('seed must be')
    expect(() => makeDay({ accounts: 0 })).toThrow('accounts must be')
    expect(() => makeDay({ accounts: [{ ...DEMO_ACCOUNTS[0], name: 'a"b' }] })).toThrow('names may have')
  })

  test('has the documented shares of what is not the rule', () => {
    const status = (hundred: number) =>
      requests.filter(({ data }) => Math.floor(data.status! / 100) === hundred)
    expectShare(status(4).length, requests.length, SHARES.clientErrors)
    expectShare(status(5).length, requests.length, SHARES.serverErrors)
    expectShare(lines.length - new Set(lines).size, lines.length, SHARES.retried)
    const tasks = processings.filter(({ data }) => data.task !== undefined)
    expectShare(
      tasks.filter(({ data }) => data.outcome === 'failed').length,
      tasks.length,
      SHARES.failedTasks,
    )
    const unknown = events.filter(({ data }) => data.operation === UNKNOWN_OPERATION.name)
    expectShare(unknown.length, events.length, 0.001)
    expect(requests.some(({ data }) => data.count! > 1)).toBe(true)
  })

  test('has one content for each identity', () => {
    const identities = new Set(events.map(({ subject, source, id }) => JSON.stringify([subject, source, id])))
    expect(identities.size).toBe(new Set(lines).size)
  })

  test('uses known operations, and processes only those whose price is known', () => {
    for (const { data, type, time } of [...requests, ...processings]) {
      if (data.operation === UNKNOWN_OPERATION.name) continue
      const operation = OPERATIONS.get(data.operation)!
      expect(operation).toBeDefined()
      if (type === 'farthing.request') continue
      expect(operation.kind).not.toBe('query')
      const pricedFromMs = operation.kind === 'async' ? (operation.pricedFromMs ?? 0) : 0
      expect(Date.parse(time)).toBeGreaterThanOrEqual(pricedFromMs)
    }
  })

  test('has tasks that end in a later hour than they were started in', () => {
    const started = new Map(requests.map((event) => [event.data.task, event]))
    const tasks = processings.filter(({ data }) => data.task !== undefined)
    for (const task of tasks) expect(atMs(task)).toBeGreaterThan(atMs(started.get(task.data.task)!))
    const crossing = tasks.filter((task) => hourOf(task) !== hourOf(started.get(task.data.task)!))
    expect(crossing.length).toBeGreaterThan(20)
  })

  test('ends every stored level at 0 in its last millisecond', () => {
    const datasets = groupBy(levels, datasetOf)
    expect(datasets.size).toBe(24)
    for (const reports of datasets.values()) {
      const last = reports.toSorted((a, b) => atMs(a) - atMs(b)).at(-1)!
      expect(last.time).toBe('2025-07-28T23:59:59.999Z')
      expect(reports.filter(({ time }) => time === last.time).every(({ data }) => data.bytes === '0')).toBe(
        true,
      )
      expect(new Set(reports.map(({ time }) => time)).size).toBe(25)
    }
  })

  test('comes nearly in order: some events are overtaken', () => {
    const overtaken = events.filter((event, index) => index > 0 && atMs(event) < atMs(events[index - 1]!))
    expect(overtaken.length).toBeGreaterThan(200)
    expect(overtaken.length).toBeLessThan(events.length / 4)
  })
})

describe('an hour of load', () => {
  const options = { seed: 5, hour: '2025-07-28T03', accounts: 2_000, events: 20_000 }
  const load = Array.from(generateHour(options))

  test('depends on its options alone', () => {
    expect(Array.from(generateHour(options))).toEqual(load)
    expect(() => Array.from(generateHour({ ...options, hour: '2025-07-28T24' }))).toThrow('not an hour')
  })

  test('has new and valid events only, of about 250 bytes, all in the hour', () => {
    const receivedAt = (dayStart + DAY_MS) as Instant
    for (const line of load) {
      const event = accept(JSON.parse(line), { receivedAt, eventTypes: BUILT_IN_EVENT_TYPES })
      expect(event).toMatchObject({ hour: PRICE_CHANGE_MS / 3_600_000 })
    }
    expect(load.length).toBe(options.events)
    expect(new Set(load.map((line) => parse(line).id)).size).toBe(options.events)
    expect(load.join('').length / options.events).toBeLessThan(280)
  })

  test('is skewed, and has about 8 line keys an account', () => {
    const accounts = groupBy(load.map(parse), ({ subject }) => subject)
    const lineKeys = [...accounts.values()].map((list) => new Set(list.map(lineKeyOf)).size)
    const average = lineKeys.reduce((sum, count) => sum + count, 0) / accounts.size
    expect(average).toBeGreaterThan(7)
    expect(average).toBeLessThan(9.5)
    expect(Math.max(...[...accounts.values()].map((list) => list.length))).toBeGreaterThan(200)
  })
})

describe('the command', () => {
  const options = ['--seed', '9', '--accounts', '12', '--events', '500']
  const expected = Array.from(generateDay({ ...SAMPLE, seed: 9, accounts: 12, events: 500 }), (l) => `${l}\n`)

  test('writes lines', async () => {
    const out = new PassThrough()
    const [written] = await Promise.all([text(out), generate(options, out)])
    expect(written).toBe(expected.join(''))
  })

  test('does not mind a reader that has gone', async () => {
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    })
    await expect(generate(options, gone)).resolves.toBeUndefined()
  })
})

function callsOf(account: string): Event[] {
  return requests.filter(({ subject }) => subject === account)
}

function makeDay(changed: object): string[] {
  return Array.from(generateDay({ ...SAMPLE, ...changed }))
}

function atMs({ time }: Event): number {
  return Date.parse(time)
}

/** The UTC hour as the event writes it: `2025-07-28T03`. */
function hourOf({ time }: Event): string {
  return time.slice(0, 13)
}

function lineKeyOf({ type, data }: Event): string {
  return JSON.stringify([type, data.operation, data.project])
}

function datasetOf({ subject, data }: Event): string {
  return JSON.stringify([subject, data.project, data.dataset])
}

function groupBy(list: readonly Event[], keyOf: (event: Event) => string): Map<string, Event[]> {
  const groups = new Map<string, Event[]>()
  for (const event of list) groups.set(keyOf(event), [...(groups.get(keyOf(event)) ?? []), event])
  return groups
}
