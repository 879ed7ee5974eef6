import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseUrl, testDatabase, type TestDatabase } from '../database.ts'
import { farthing, PROGRAM, type Run, surroundings } from './cli-run.ts'

// Guarantee: a bug ends the process with exit code 70, and says what happened and where, without a row of a customer.

const SECRET = 'customer-secret-4711'
const FAULTY = pathToFileURL(fileURLToPath(new URL('faulty.mjs', import.meta.url))).href

const folder = mkdtempSync(join(tmpdir(), 'farthing-bugs-'))
let sound: TestDatabase
let broken: TestDatabase
beforeAll(async () => {
  ;[sound, broken] = await Promise.all([testDatabase(), testDatabase()])
  for (const { pool } of [sound, broken]) {
    await pool.query(`create function fail() returns boolean language plpgsql as $$
      begin raise exception 'it failed' using detail = 'Failing row contains (${SECRET})', hint = '${SECRET}'; end $$`)
  }
  await broken.pool.query('alter table deployment rename to deployment_kept')
  await broken.pool.query(
    'create view deployment as select k.* from (values (1)) v left join deployment_kept k on true where fail()',
  )
})
afterAll(async () => {
  await Promise.all([sound.drop(), broken.drop()])
  rmSync(folder, { recursive: true, force: true })
})

function settingsFor({ connection }: TestDatabase): Record<string, string> {
  return { PORT: '0', DATABASE_URL: databaseUrl(connection), FARTHING_DATA_DIR: join(folder, 'data') }
}

function expectNoRow({ stdout, stderr }: Run): void {
  expect(stdout + stderr).not.toMatch(/4711|Failing row|customer-secret/)
}

test.each([[['settle']], [['verify']], [['backup', join(folder, 'a.backup')]], [['keys', 'rescue']]])(
  'farthing %j ends with 70 when the database fails it in a way that nobody knows',
  async (args) => {
    const run = await farthing(args, { env: settingsFor(broken) })
    expectNoRow(run)
    expect(run.code).toBe(70)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(
      /^farthing: A bug has ended this command \(P0001\): report it .*\nerror: it failed\n {4}at /,
    )
  },
)

test('a start that fails is logged, and ends with 70', async () => {
  const run = await farthing(['serve'], { env: settingsFor(broken) })
  expectNoRow(run)
  expect(run.code).toBe(70)
  expect(entryOf(run)).toMatchObject({ level: 50, err: { code: 'P0001', message: 'it failed' } })
})

test.each([
  'a rejection',
  'an exception',
  'an exception in a tick',
  'a cause',
  'several errors',
  'an event without a listener',
  'what is no error',
])('a server is ended by %s that nothing catches', async (fault) => {
  const run = await served(fault)
  expectNoRow(run)
  expect(run.code).toBe(70)
  const { level, msg, err } = entryOf(run)
  expect([level, msg]).toEqual([50, expect.stringContaining('A bug ends this process') as string])
  expect(JSON.stringify(err)).toContain('"code":"P0001"')
})

interface Entry {
  readonly level: number
  readonly msg: string
  readonly err: object
}

/** The last entry of the log: every line is one. */
function entryOf({ stderr }: Run): Entry {
  const entries = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry)
  return entries.at(-1)!
}

/** Serve until it is ready, then have the fault. */
function served(fault: string): Promise<Run> {
  const env = surroundings({ ...settingsFor(sound), FAULT: fault, NODE_OPTIONS: `--import=${FAULTY}` })
  const child = spawn(process.execPath, [PROGRAM, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text) => {
    if (!stdout.includes('is ready') && String(text).includes('is ready')) child.kill('SIGUSR2')
    stdout += String(text)
  })
  child.stderr.on('data', (text) => (stderr += String(text)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ stdout, stderr, code })))
}
