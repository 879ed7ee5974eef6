import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Log, makePool, openDatabase } from '../../src/store/connect.ts'
import { farthing } from './cli-run.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

const quiet: Log = { info() {}, warn: console.warn, error: console.error }

let server: ServerProcess
beforeAll(async () => {
  // History waits for an hour here, so that only `settle --now` bills it.
  server = await serverProcess({ FARTHING_BACKFILL_QUIET: '1h' })
})
afterAll(() => server.close())

function calls(account: string): string {
  const lines = [2, 3, 4].map((hour) =>
    JSON.stringify({
      specversion: '1.0',
      id: `call-${hour}`,
      source: '/test',
      type: 'farthing.request',
      subject: account,
      time: `2025-07-28T0${hour}:10:00Z`,
      data: { operation: 'SimpleQuery', status: 200, count: 1000 },
    }),
  )
  return lines.join('\n')
}

/** Change something in the database behind Farthing's back. */
async function tamper(statement: string): Promise<void> {
  const opened = await openDatabase({ dataDir: server.dataDir, log: quiet })
  if (!opened.ok) throw new Error(opened.detail)
  const pool = makePool(opened.database.connection, { max: 1 })
  const { rowCount } = await pool.query(statement)
  await pool.end()
  await opened.database.stop()
  expect(rowCount).toBe(1)
}

const env = { FARTHING_BACKFILL_QUIET: '1h' }

test('settle --now bills the history that would wait; a second time there is nothing to do', async () => {
  const sent = await server.run(['import', '-', '--no-wait'], { input: calls('acme') })
  expect(sent).toMatchObject({ stdout: '3 events: 3 accepted.\n', code: 0 })
  const early = await server.run(['settle'], { env })
  expect(early).toMatchObject({ stdout: 'Nothing is due.\n', code: 0 })
  expect(await server.good('bills')).toBe('No bills.\n')
  // The server may take some of the hours: it settles what is sealed, too.
  const now = await server.run(['settle', '--now', '--json'], { env })
  expect(now.code).toBe(0)
  expect((JSON.parse(now.stdout) as { hours: number }).hours).toBeLessThanOrEqual(3)
  await expect
    .poll(async () => server.good('bills', '--account', 'acme'), { timeout: 30_000 })
    .toMatch(/^3 bills +0\.015 /m)
  expect(await server.good('settle', '--now')).toBe('Nothing is due.\n')
})

test('verify computes every bill again, of all or of a part', async () => {
  const all = await server.run(['verify'])
  expect(all).toEqual({
    stdout: 'Recomputed 3 bills over 3 hours: no differences.\n',
    stderr: '',
    code: 0,
  })
  const part = await server.run([
    'verify',
    '--account',
    'acme',
    '--from',
    '2025-07-28T03Z',
    '--to',
    '2025-07-28T04Z',
  ])
  expect(part).toMatchObject({ stdout: 'Recomputed 1 bill over 1 hour: no differences.\n', code: 0 })
})

test('what was changed is named, and the exit code is 1', async () => {
  await tamper(
    `update bill_line set amount = amount + 1 where usage_hour = extract(epoch from timestamptz '2025-07-28 03:00Z') / 3600`,
  )
  const run = await server.run(['verify'])
  expect(run.code).toBe(1)
  expect(run.stdout).toContain('bill 2025-07-28T03Z.acme, line 1: amount is 1.005, and should be 0.005\n')
  expect(run.stdout).toMatch(/\nRecomputed 3 bills over 3 hours: \d+ differences?\.\n$/)
  expect(run.stderr).toBe('')
  const json = await server.run(['verify', '--json', '--from', '2025-07-28T03Z', '--to', '2025-07-28T04Z'])
  const [first] = json.stdout.split('\n')
  expect(JSON.parse(first!)).toMatchObject({ place: 'bill 2025-07-28T03Z.acme, line 1' })
  const other = await server.run(['verify', '--from', '2025-07-28T04Z'])
  expect(other.code).toBe(0)
})

test('without data: what to do, and nothing is made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-none-'))
  const run = await farthing(['verify'], { env: { FARTHING_DATA_DIR: join(folder, 'data') } })
  rmSync(folder, { recursive: true, force: true })
  expect(run).toMatchObject({ stdout: '', code: 1 })
  expect(run.stderr).toContain('data: start the server once, or set FARTHING_DATA_DIR or DATABASE_URL')
})

for (const [name, args, says] of [
  [
    'a time that is none',
    ['verify', '--from', 'tomorrow'],
    "argument 'tomorrow' is invalid. Write an RFC 3339",
  ],
  ['a setting that is none', ['settle'], 'FARTHING_GRACE is "soon"'],
] as const) {
  test(`${name} is refused before anything is done`, async () => {
    const run = await server.run(args, { env: { FARTHING_GRACE: 'soon' } })
    expect(run.stdout).toBe('')
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain(says)
  })
}
