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

/** As a server notes it whose database clock has jumped a day ahead: one that is older than this one. */
async function raiseAlarm(): Promise<void> {
  const opened = await openDatabase({ dataDir: server.dataDir, log: quiet })
  if (!opened.ok) throw new Error(opened.detail)
  const pool = makePool(opened.database.connection)
  const at = Date.now()
  await pool.query('update clock_watch set alarmed_at = $1, accepted_at = $2', [at, at - DAY_MS])
  await pool.end()
  await opened.database.stop()
}

test('settle says that nothing is sealed and why, until --clock-is-right', async () => {
  expect(JSON.parse(await server.good('settle', '--json'))).toEqual({ hours: 0, sealing: 'running' })
  await raiseAlarm()
  const alarmed = await server.run(['settle'])
  expect([alarmed.code, alarmed.stdout]).toEqual([1, 'Nothing is due.\n'])
  expect(alarmed.stderr).toMatch(
    /^farthing: Nothing is sealed: the database clock jumped to .*--clock-is-right`\.\n$/,
  )
  const json = await server.run(['settle', '--json'])
  expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { hours: 0, sealing: 'stopped' }])
  const ready = (await (await fetch(`${server.url}/readyz`)).json()) as { readonly sealing: string }
  expect(ready).toMatchObject({ ready: true, sealing: 'stopped' })

  expect(await server.good('settle', '--clock-is-right')).toBe('Nothing is due.\n')
  expect(JSON.parse(await server.good('settle', '--json'))).toEqual({ hours: 0, sealing: 'running' })
  const again = await server.run(['settle', '--clock-is-right'])
  expect([again.code, again.stderr]).toEqual([0, 'No clock alarm is open: hours are sealed.\n'])
})
