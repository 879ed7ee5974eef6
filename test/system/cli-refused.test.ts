import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(() => server.close())

test('what was refused is listed once with its number, and counted, for people and for programs', async () => {
  expect(await server.good('refused', '--counts')).toBe('Nothing was refused.\n')
  const bad = { specversion: '1.0', id: 'x', source: '/gateway/3', type: 'farthing.request', subject: 'acme' }
  const lines = Array.from({ length: 1_200 }, () => JSON.stringify({ ...bad, time: 'noon', data: {} }))
  await server.run(['import', '-', '--no-wait'], { input: lines.join('\n') })
  expect(await server.good('refused')).toMatch(/ +1,200 +rejected +acme +x +time is not an RFC 3339 time/)
  const table = await server.good('refused', '--counts', '--account', 'acme')
  expect(table).toMatch(/ +1,200 +rejected +acme +\/gateway\/3 +event\/invalid_time\n$/)
  expect(JSON.parse(await server.good('refused', '--counts', '--json'))).toMatchObject({
    account: 'acme',
    source: '/gateway/3',
    code: 'event/invalid_time',
    outcome: 'rejected',
    times: 1_200,
  })
  expect(await server.good('refused', '--counts', '--account', 'other')).toBe('Nothing was refused.\n')
})
