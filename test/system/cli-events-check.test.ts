import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BATCH_LINES_MAX } from '../../src/cli/import/send-lines.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(() => server.close())

const TIME = '2025-07-28T02:10:00Z'

function event(id: string, more: object = {}): string {
  const common = {
    specversion: '1.0',
    source: '/test',
    subject: 'acme',
    type: 'farthing.request',
    time: TIME,
  }
  return JSON.stringify({ id, ...common, data: { operation: 'SimpleQuery', status: 200 }, ...more })
}

const faces = (id: string) =>
  event(id, {
    type: 'farthing.processing',
    data: { operation: 'DetectImageFaces', mode: 'sync', quantities: { call: 3, pixel: 7 } },
  })
const level = event('l', { type: 'farthing.storage', data: { bytes: '1000000000' } })

test('a file is checked: what each item would cost, and which lines would be refused; nothing is stored', async () => {
  const lines = [
    event('a'),
    '',
    event('w', { data: { operation: 'SimpleQuery', status: 503 } }),
    faces('f'),
    level,
  ]
  const good = await server.run(['events', 'check', '-'], { input: gzipSync(lines.join('\n')) })
  expect(good.code).toBe(0)
  const rows = good.stdout.split('\n').map((row) => row.trim().split(/\s{2,}/))
  expect(rows[1]).toEqual([
    'request',
    'StandardQueryL0',
    'default',
    '2',
    '1',
    'call',
    '1',
    '0.005',
    '1,000 calls',
    '0.000005 USD',
  ])
  expect(rows[2]).toEqual([
    'processing',
    'ImageDetect',
    'faces',
    '1',
    '3',
    'call',
    '0',
    '0.028',
    '1,000 calls',
    '0.000084 USD',
  ])
  expect(rows[3]!.slice(0, 4)).toEqual(['storage', 'IndexStorage', 'default', '1'])
  expect(good.stdout).toContain('by how long it is stored')
  expect(good.stderr).toContain(
    'standard input:4: remark: Accepted. data.quantities.pixel is charged by no rate',
  )
  expect(good.stdout).toContain('4 events: 4 accepted. Nothing was stored.')
  const bad = await server.run(['events', 'check', '-', '--all'], {
    input: [event('a'), event('b', { time: 'x' }), level].join('\n'),
  })
  expect(bad.code).toBe(3)
  expect(bad.stderr).toMatch(/standard input:2: rejected: /)
  expect(bad.stdout).toMatch(/^ +1 +accepted +a +2025-07-28 02:00, backfill +StandardQueryL0\/default/m)
  expect(bad.stdout).toMatch(/^ +2 +rejected +b$/m)
  const imported = await server.run(['import', '-', '--no-wait'], { input: event('a') })
  expect(imported.stdout).toBe('1 event: 1 accepted.\n')
})

test('repeats are found across batches, with --json each event is a line', async () => {
  const filler = Array.from({ length: BATCH_LINES_MAX }, (_, index) => event(`n${index}`))
  const other = event('n0', { data: { operation: 'SimpleQuery', status: 404 } })
  const lines = [...filler, event('n1'), other, event('n0'), event('last')]
  const { stdout, code } = await server.run(['events', 'check', '-', '--json'], { input: lines.join('\n') })
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events).toHaveLength(BATCH_LINES_MAX + 4)
  expect(events.slice(-4)).toMatchObject([
    { line: BATCH_LINES_MAX + 1, id: 'n1', outcome: 'duplicate', cycle: null, charges: [] },
    { line: BATCH_LINES_MAX + 2, id: 'n0', outcome: 'conflict', code: 'event/conflict', charges: [] },
    { line: BATCH_LINES_MAX + 3, id: 'n0', outcome: 'duplicate', charges: [] },
    { line: BATCH_LINES_MAX + 4, id: 'last', outcome: 'accepted', currency: 'USD' },
  ])
  expect(code).toBe(3)
})
