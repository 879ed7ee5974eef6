import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatHour, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { PROGRAM, surroundings } from './cli-run.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'

// Voiding usage on the command line: the command first prints what it would come to, then voids after a yes.

/** Long ago: history, which has its bills when the import ends. */
const hour = (hourOf(Date.now() as Instant) - 1_000) as Hour
/** More than one transaction voids, in each of three hours. */
const COUNT = 4_500

let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
  const events = Array.from({ length: COUNT }, (_, index) => ({
    specversion: '1.0',
    id: `e-${index}`,
    source: 'cli',
    type: 'farthing.request',
    subject: 'acme',
    time: formatInstant((startOf((hour + (index % 3)) as Hour) + index) as Instant),
    data: { operation: 'SimpleQuery', status: 200 },
  }))
  const path = join(mkdtempSync(join(tmpdir(), 'farthing-voids-')), 'events.ndjson')
  writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  await server.good('import', path)
})
afterAll(() => server.close())

const ONE = ['void', '--account', 'acme', 'e-0', '--reason', 'sent by a test'] as const
const RANGE = [
  '--account',
  'acme',
  '--from',
  formatHour(hour),
  '--to',
  formatHour((hour + 3) as Hour),
] as const
const ALL = ['void', ...RANGE, '--reason', 'metered twice'] as const

const WOULD = `1 event of acme: 1 would be voided
Given back    0.000005 USD, in the open hour
Never billed  0 USD
`

test('without a terminal and without --yes it says what it would come to, and changes nothing', async () => {
  const run = await server.run(ONE)
  expect([run.code, run.stdout]).toEqual([2, WOULD])
  expect(run.stderr).toBe('Nothing was changed: add --yes to void them.\n')
  const dry = await server.run([...ONE, '--dry-run'])
  expect([dry.code, dry.stdout, dry.stderr]).toEqual([0, WOULD, ''])
  expect(await server.good('voids', '--account', 'acme')).toBe('Nothing was voided.\n')
})

test('with --yes it takes the event back, once', async () => {
  expect(await server.good(...ONE, '--yes')).toBe(WOULD.replace('would be voided', 'voided'))
  expect(await server.good(...ONE)).toBe(`1 event of acme: 0 would be voided
  1 was voided before: nothing changes for it
Given back    0 USD, in the open hour
Never billed  0 USD
`)
  const list = await server.good('voids', '--account', 'acme')
  expect(list).toMatch(/ acme +cli +e-0 +to be given back .+ sent by a test\n$/)
  expect(await server.good('explain', '--account', 'acme', 'e-0')).toMatch(/Voided by \w+: sent by a test\n/)
})

test.each([
  [
    'no event and no range',
    ['void', '--account', 'a', '--reason', 'x'],
    2,
    'name an event, or both --from and --to',
  ],
  ['no reason', ['void', '--account', 'a', 'e'], 2, '--reason'],
  ['no status', [...ALL, '--status', '2xx'], 2, 'write one of 100 to 599'],
  ['an event that there is not', ['void', '--account', 'a', 'e', '--reason', 'x'], 1, 'void/not_found'],
])('%s', async (_name, args, code, says) => {
  const run = await server.run(args)
  expect(run.code).toBe(code)
  expect(run.stderr).toContain(says)
})

/** How many events are voided so far. */
async function countVoids(): Promise<number> {
  return (await server.good('voids', ...RANGE, '--json')).split('\n').length - 1
}

interface Result {
  readonly events: number
  readonly voided: number
  readonly alreadyVoided: number
}

test('killed in the middle of a range and run again, it takes each event back once', async () => {
  const child = spawn(process.execPath, [PROGRAM, ...ALL, '--yes'], {
    env: surroundings({ FARTHING_URL: server.url, FARTHING_DATA_DIR: server.dataDir }),
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  while ((await countVoids()) < 1_000);
  child.kill('SIGKILL')
  await ended
  // The server may have gone on to the end of what it was asked, or not.
  const before = await countVoids()
  const result = JSON.parse(await server.good(...ALL, '--yes', '--json')) as Result
  expect(result).toMatchObject({ events: COUNT, dryRun: false })
  // What was on its way when the command was killed is carried out by the server all the same.
  expect(result.alreadyVoided).toBeGreaterThanOrEqual(before)
  expect(result.voided + result.alreadyVoided).toBe(COUNT)
  expect(await countVoids()).toBe(COUNT)
}, 60_000)

test('what was voided comes to nothing more, anyone who asks', async () => {
  const run = await server.run([...ALL, '--dry-run', '--json'])
  expect(JSON.parse(run.stdout)).toMatchObject({
    events: COUNT,
    voided: 0,
    alreadyVoided: COUNT,
    givenBack: '0',
  })
})
