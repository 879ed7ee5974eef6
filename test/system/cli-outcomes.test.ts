import { afterAll, beforeAll, expect, test } from 'vitest'
import { farthing } from './cli-run.ts'
import { type ServerProcess, serverProcess } from './cli-server.ts'

let server: ServerProcess
const AT = new Date().toISOString()

function call(id: string, data: object): string {
  const event = {
    specversion: '1.0',
    id,
    source: '/api',
    type: 'farthing.request',
    subject: 'acme',
    time: AT,
  }
  return JSON.stringify({ ...event, data })
}

const GOOD = { operation: 'SimpleQuery', status: 200 }

beforeAll(async () => {
  server = await serverProcess()
  const lines = [
    call('good', GOOD),
    call('good', { ...GOOD, status: 500 }),
    call('bad', { operation: 'SimpleQuery' }),
    call('held', { operation: 'NeverHeardOf', status: 200 }),
  ]
  const sent = await server.run(['import', '-', '--no-wait'], { input: lines.join('\n') })
  if (sent.code !== 3) throw new Error(`the import ended with ${sent.code}: ${sent.stderr}`)
})
afterAll(() => server.close())

test('an event with a refused copy is explained, and one that was only refused', async () => {
  const both = await server.good('explain', '--account', 'acme', 'good')
  expect(both).toContain('Event good from /api\n')
  expect(both).toContain('Event good from /api: in conflict\n')
  expect(await server.good('explain', '--account', 'acme', 'bad')).toMatch(
    /^Event bad from \/api: rejected\n/,
  )
})

test('usage has the exact sum of its rows below them', async () => {
  const table = (await server.good('usage')).trimEnd().split('\n')
  expect(table[0]).toMatch(/^From, UTC .+ Account +Quantity +Unit +Not billed +Amount USD$/)
  expect(table.at(-1)).toMatch(/^Total +0\.\d+$/)
})

test('--quiet leaves remarks out, and results and errors in', async () => {
  const run = await server.run(['refused', '--limit', '1', '--quiet'])
  expect([run.code, run.stderr]).toEqual([0, ''])
  expect(run.stdout).toContain('acme')
  expect((await server.run(['bill', 'none', '--quiet'])).stderr).toContain('see `farthing bills`')
})

test('the version', async () => {
  expect((await farthing(['-V'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})
