import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { farthing } from './cli-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-rate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const BOOK = file(
  'book.yaml',
  `priceBook: test
currency: EUR
items:
  Calls:
    component: request
    rates:
      default: { operations: [Query], unit: call, per: 1000, billedStatuses: [1xx, 2xx, 3xx, 4xx],
                 prices: [{ from: "2025-01-01T00:00:00Z", price: "0.005" }] }
  Conversion:
    component: processing
    rates:
      default: { operations: [Convert], unit: millisecond, per: minute, prices: [
                 { from: "2025-01-01T00:00:00Z", price: "0.24" }, { from: "2025-07-28T03:00:00Z", price: "0.36" }] }
  Storage:
    component: storage
    rates:
      default: { unit: byte, per: GB-hour, prices: [{ from: "2025-01-01T00:00:00Z", price: "0.5" }] }
`,
)

function event(id: string, type: string, time: string, data: object, subject = 'acme'): string {
  const fields = { specversion: '1.0', id, source: '/test', type: `farthing.${type}`, subject, time, data }
  return JSON.stringify(fields)
}

const convert = { operation: 'Convert', mode: 'async', task: 't', outcome: 'succeeded' }

/**
 * By hand, hour 02: 1,234 + 1 calls (a 4xx is billed, R4): 1.235 x 0.005 = 0.006175; 2 calls answered 5xx: nothing.
 * 90,000 ms = 1.5 minutes x 0.24 = 0.36. 2 GB stored from 02:30 on = 1 GB-hour x 0.5 = 0.5. In all 0.866175.
 * Hour 03: 1.5 minutes x 0.36 (the new price) = 0.54; 2 GB-hours x 0.5 = 1. In all 1.54.
 */
const LINES = [
  event('1', 'request', '2025-07-28T02:10:00Z', { operation: 'Query', status: 200, count: 1234 }),
  event('2', 'request', '2025-07-28T02:59:59.9999Z', { operation: 'Query', status: 404 }),
  event('3', 'request', '2025-07-28T02:20:00Z', { operation: 'Query', status: 503, count: 2 }),
  event('4', 'processing', '2025-07-28T02:59:59Z', { ...convert, quantities: { millisecond: '90000' } }),
  event('5', 'processing', '2025-07-28T03:00:00Z', { ...convert, quantities: { millisecond: 90000 } }),
  event('6', 'storage', '2025-07-28T02:30:00Z', { dataset: 'd', bytes: '2000000000' }),
]

/** Each with its outcome, and none changes the bills. */
const TROUBLE = [
  LINES[0]!,
  event('1', 'request', '2025-07-28T02:10:00Z', { operation: 'Query', status: 200, count: 9 }),
  event('7', 'request', '2025-07-28T02:10:00Z', { operation: 'Unheard', status: 200 }),
  event('8', 'processing', '2025-07-28T02:10:00Z', convert),
  '{"cut off',
]

interface Rated {
  readonly bills: readonly {
    readonly id: string
    readonly total: string
    readonly components: Record<string, string>
  }[]
  readonly problems: readonly { readonly line: number; readonly outcome: string; readonly code: string }[]
}

test('the bills of a few events are those of a calculation by hand', async () => {
  const events = file('few.ndjson', LINES.join('\n'))
  const run = await farthing(['rate', events, '--price-book', BOOK, '--json'])
  const { bills } = JSON.parse(run.stdout) as Rated
  expect(bills.map(({ id, total, components }) => ({ id, total, components }))).toEqual([
    {
      id: '2025-07-28T02Z.acme',
      total: '0.866175',
      components: { request: '0.006175', processing: '0.36', storage: '0.5' },
    },
    {
      id: '2025-07-28T03Z.acme',
      total: '1.54',
      components: { request: '0', processing: '0.54', storage: '1' },
    },
  ])
  expect(run.stderr).toContain('6 events: 6 accepted. 2 bills of 1 account.')
  expect(run.code).toBe(0)
})

test('numbers and keys are judged as the file has them', async () => {
  const counted = (id: string, data: string) =>
    event(id, 'request', '2025-07-28T02:10:00.123456789012345Z', {}).replace('"data":{}', `"data":{${data}}`)
  const query = '"operation":"Query","status":200'
  const lines = [
    counted('1', `${query},"count":1e3,"latency":0.1`),
    counted('1', `${query},"count":1000.0,"latency":0.10`),
    counted('2', `${query},"count":0.99999999999999999999`),
    counted('3', `${query},"count":1,"count":1000`),
    counted('4', `${query},"trace":9007199254740993`),
    counted('5', query).replace('"subject":"acme"', '"subject":"acme","subject":"other"'),
  ]
  const events = file('exact.ndjson', lines.join('\n'))
  const run = await farthing(['rate', events, '--price-book', BOOK, '--json'])
  const { bills, problems } = JSON.parse(run.stdout) as Rated
  expect(bills.map(({ id, total }) => [id, total])).toEqual([['2025-07-28T02Z.acme', '0.005']])
  expect(problems.map(({ line, code }) => [line, code])).toEqual([
    [3, 'event/inexact_number'],
    [4, 'event/repeated_key'],
    [5, 'event/inexact_number'],
    [6, 'event/repeated_key'],
  ])
  expect(run.stderr).toContain('data.count is the JSON number 0.99999999999999999999, which')
  expect(run.stderr).toContain('1 duplicate')
})

test('tables for people: the same figures, with the waived calls in words', async () => {
  const events = file('few.ndjson.gz', gzipSync(LINES.join('\r\n')))
  const { stdout } = await farthing(['rate', events, '--price-book', BOOK])
  const words = stdout.replaceAll(/ +/g, ' ')
  expect(words).toContain('1 Calls Query 1,235 calls 1.235 × 0.005 per 1,000 calls = 0.006175\n')
  expect(words).toContain('\n 2 calls answered 5xx: not billed\n')
  expect(words).toContain('2 Conversion Convert 90,000 milliseconds 1.5 × 0.24 per minute = 0.36\n')
  expect(words).toContain('3 Storage 1 × 0.5 per GB-hour = 0.5\n')
  expect(stdout).toMatch(/Total EUR +0\.866175/)
})

test('every line of the file has its outcome, by line number, and the exit code says so', async () => {
  const events = file('trouble.ndjson', ['\ufeff' + LINES.join('\n'), '', ...TROUBLE].join('\n'))
  const run = await farthing(['rate', events, '--price-book', BOOK, '--json'])
  const rated = JSON.parse(run.stdout) as Rated
  expect(rated).toMatchObject({ accepted: 6, duplicates: 1, conflicts: 1, held: 1, rejected: 2 })
  expect(rated.problems.map(({ line, outcome, code }) => `${line} ${outcome} ${code}`)).toEqual([
    '9 conflict event/conflict',
    '10 held held/unknown_operation',
    '11 rejected event/missing_unit',
    '12 rejected event/unreadable',
  ])
  expect(rated.bills.map(({ total }) => total)).toEqual(['0.866175', '1.54'])
  expect(run.stderr).toContain(`${events}:12: rejected: The line is not JSON`)
  expect(run.code).toBe(3)
})

test('an event of the far future is rejected', async () => {
  const events = file('future.ndjson', event('1', 'request', '2999-01-01T00:00:00Z', { operation: 'Query' }))
  const run = await farthing(['rate', events, '--price-book', BOOK])
  expect(run).toMatchObject({ stdout: '1 event: 0 accepted, 1 rejected. 0 bills of 0 accounts.\n', code: 3 })
  expect(run.stderr).toContain('over 5 minutes later than now')
})

for (const { what, args, says, code } of [
  { what: 'no such file', args: ['none', '--price-book', BOOK], says: 'no such file', code: 1 },
  { what: 'a directory', args: [folder, '--price-book', BOOK], says: 'is a directory', code: 1 },
  { what: 'no price book', args: [BOOK], says: 'farthing rate --help says more', code: 2 },
  {
    what: 'a wrong price book',
    args: [BOOK, '--price-book', file('no.yaml', 'a: 1')],
    says: 'no.yaml:1:1: ',
    code: 1,
  },
  { what: 'twice standard input', args: ['-', '--price-book', '-'], says: 'name a file', code: 2 },
] as const) {
  test(`${what}: says so, exit code ${code}`, async () => {
    const run = await farthing(['rate', ...args])
    expect(run).toMatchObject({ stdout: '', code })
    expect(run.stderr).toContain(says)
  })
}

test('gzip data that is cut off gives no bills: they would be too low', async () => {
  const whole = gzipSync(LINES.join('\n'))
  const events = file('cut.ndjson.gz', whole.subarray(0, -20))
  const run = await farthing(['rate', events, '--price-book', BOOK])
  expect(run).toMatchObject({ stdout: '', code: 1 })
  expect(run.stderr).toMatch(/is gzip, but damaged or cut off after line \d/)
})

const SAMPLE = fileURLToPath(new URL('../../samples/imm-day.ndjson.gz', import.meta.url))
const IMM = fileURLToPath(new URL('../../price-books/imm.yaml', import.meta.url))

interface SampleEvent {
  readonly id: string
  readonly source: string
  readonly subject: string
  readonly type: string
  readonly data: { readonly operation: string; readonly status: number; readonly count?: number }
}

interface ImmItem {
  readonly component: string
  readonly rates: {
    readonly default: {
      readonly operations: readonly string[]
      readonly prices: readonly { readonly price: string }[]
    }
  }
}

/** By counting: every call not answered 5xx, once, at its item's one price per 1,000 calls, in 10^-9 of a dollar. */
function requestFeesByHand(): Map<string, bigint> {
  const { items } = parse(readFileSync(IMM, 'utf8')) as { items: Record<string, ImmItem> }
  const nanosOf = new Map<string, bigint>()
  for (const { component, rates } of Object.values(items)) {
    if (component !== 'request') continue
    const { operations, prices } = rates.default
    expect(prices).toHaveLength(1)
    // "0.005" dollars for 1,000 calls are 5,000 nanos for one.
    const micros = BigInt(prices[0]!.price.replace(/^0\./, '').padEnd(6, '0'))
    for (const operation of operations) nanosOf.set(operation, micros)
  }
  const fees = new Map<string, bigint>()
  const seen = new Set<string>()
  for (const line of gunzipSync(readFileSync(SAMPLE)).toString().trim().split('\n')) {
    const { id, source, subject, type, data } = JSON.parse(line) as SampleEvent
    const identity = JSON.stringify([subject, source, id])
    if (type !== 'farthing.request' || data.status >= 500 || seen.has(identity)) continue
    seen.add(identity)
    const fee = BigInt(data.count ?? 1) * (nanosOf.get(data.operation) ?? 0n)
    fees.set(subject, (fees.get(subject) ?? 0n) + fee)
  }
  return fees
}

test('request fees of the sample day are those of counting its lines', async () => {
  const run = await farthing(['rate', SAMPLE, '--price-book', IMM, '--json'])
  const fees = new Map<string, bigint>()
  for (const { id, components } of (JSON.parse(run.stdout) as Rated).bills) {
    const account = id.slice(id.indexOf('.') + 1)
    const [whole = '', fraction = ''] = components['request']!.split('.')
    fees.set(account, (fees.get(account) ?? 0n) + BigInt(whole + fraction.padEnd(9, '0')))
  }
  expect(fees).toEqual(requestFeesByHand())
  expect(run.code).toBe(0)
})

test('a reader that stops early ends the command quietly', async () => {
  const program = fileURLToPath(new URL('../../bin/farthing', import.meta.url))
  const child = spawn(process.execPath, [program, 'rate', SAMPLE, '--price-book', IMM])
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += String(text)))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code).toBe(0)
  expect(stderr).not.toContain('EPIPE')
})
