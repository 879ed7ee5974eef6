import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makePool, openDatabase } from '../../src/store/connect.ts'
import { serverProcess, type ServerProcess } from './cli-server.ts'
import { quiet } from './deployment.ts'

// Guarantee: `farthing settle` honours a clock alarm that a server has noted, says what to do, and ends it when
// a person says that the clock is right.

const DAY_MS = 86_400_000

let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(() => server.close())

/** Work on the database beside the server. */
async function withPool(work: (pool: ReturnType<typeof makePool>) => Promise<unknown>): Promise<void> {
  const opened = await openDatabase({ dataDir: server.dataDir, log: quiet })
  if (!opened.ok) throw new Error(opened.detail)
  const pool = makePool(opened.database.connection)
  await work(pool)
  await pool.end()
  await opened.database.stop()
}

/** As a server notes it whose database clock has jumped a day ahead: one that is older than this one. */
async function raiseAlarm(): Promise<void> {
  const at = Date.now()
  await withPool((pool) =>
    pool.query('update clock_watch set alarmed_at = $1, accepted_at = $2', [at, at - DAY_MS]),
  )
}

test('settle says that nothing is sealed and why, until --clock-is-right', async () => {
  expect(JSON.parse(await server.good('settle', '--json'))).toEqual({
    hours: 0,
    sealing: 'running',
    setAside: [],
  })
  await raiseAlarm()
  const alarmed = await server.run(['settle'])
  expect([alarmed.code, alarmed.stdout]).toEqual([1, 'Nothing is due.\n'])
  expect(alarmed.stderr).toMatch(
    /^farthing: Nothing is sealed: the database clock jumped to .*--clock-is-right`\.\n$/,
  )
  const json = await server.run(['settle', '--json'])
  expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { hours: 0, sealing: 'stopped', setAside: [] }])
  const ready = (await (await fetch(`${server.url}/readyz`)).json()) as { readonly sealing: string }
  expect(ready).toMatchObject({ ready: true, sealing: 'stopped' })

  expect(await server.good('settle', '--clock-is-right')).toBe('Nothing is due.\n')
  expect(JSON.parse(await server.good('settle', '--json'))).toEqual({
    hours: 0,
    sealing: 'running',
    setAside: [],
  })
  const again = await server.run(['settle', '--clock-is-right'])
  expect([again.code, again.stderr]).toEqual([0, 'No clock alarm is open: hours are sealed.\n'])
})

test('an account that cannot be settled is named, with an exit code of its own, by /readyz and by metrics', async () => {
  const hour = Math.floor(Date.now() / 3_600_000) - 30
  const event = {
    specversion: '1.0',
    id: '1',
    source: 's',
    type: 'farthing.request',
    subject: 'acme "corp"',
    time: new Date(hour * 3_600_000).toISOString(),
    data: { operation: 'SimpleQuery', status: 200 },
  }
  const authorization = `Bearer ${readFileSync(join(server.dataDir, 'admin-key'), 'utf8').trim()}`
  await fetch(`${server.url}/v1/events`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([event, { ...event, subject: 'other' }]),
  })
  await withPool((pool) => pool.query(`update usage_event set data = '{' where account like 'acme%'`))
  const settled = await server.run(['settle', '--now'])
  expect([settled.code, settled.stdout]).toEqual([4, 'Settled 1 hour.\n'])
  expect(settled.stderr).toMatch(
    /the account "acme \\"corp\\"", from .* \(SyntaxError: stored JSON cannot be read\)/,
  )
  const json = await server.run(['settle', '--json'])
  expect(json.code).toBe(4)
  expect(JSON.parse(json.stdout)).toMatchObject({
    setAside: [{ account: 'acme "corp"', code: 'SyntaxError' }],
  })
  const ready = await (await fetch(`${server.url}/readyz`)).json()
  expect(ready).toMatchObject({ ready: true, reasons: [expect.stringContaining('acme')] })
  const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization } })
  const text = await metrics.text()
  expect(text).toMatch(/^farthing_set_aside 1$/m)
  expect(text).toMatch(/^farthing_set_aside_hours\{account="acme \\"corp\\"",bucket="\d+"\} \d+$/m)

  const data = JSON.stringify({ operation: 'SimpleQuery', status: 200 })
  await withPool((pool) => pool.query(`update usage_event set data = $1 where account like 'acme%'`, [data]))
  expect((await server.run(['settle'])).code).toBe(0)
})
