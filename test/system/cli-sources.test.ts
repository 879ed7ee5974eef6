import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await serverProcess()
})
afterAll(() => server.close())

const HOUR = '2025-07-28T02Z'

function call(id: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: '/gateway/3',
    type: 'farthing.request',
    subject: 'acme',
    time: '2025-07-28T02:10:00Z',
    data: { operation: 'SimpleQuery', status: 200 },
  })
}

test('a manifest is announced, and compared with what has arrived', async () => {
  const announced = await server.run(['sources', 'manifest', '/gateway/3', HOUR, '1200'])
  expect(announced).toMatchObject({
    code: 0,
    stdout: '/gateway/3 has announced 1,200 events of 2025-07-28 02:00 UTC.\n',
    stderr: '',
  })
  await server.run(['import', '-', '--no-wait'], { input: [call('a'), call('b')].join('\n') })
  const arrived = await server.run(['sources', 'arrived', HOUR])
  expect(arrived.stdout).toMatch(/^\/gateway\/3 +missing +1,200 +2 +0 +-1,198$/m)
  const again = await server.run(['sources', 'manifest', '/gateway/3', HOUR, '2', '--json'])
  expect(JSON.parse(again.stdout)).toEqual({
    source: '/gateway/3',
    hour: '2025-07-28T02:00:00Z',
    events: 2,
  })
  const { stdout } = await server.run(['sources', 'arrived', HOUR, '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ state: 'equal', announced: 2, version: 2 })
  expect(await server.run(['sources', 'manifest', '/gateway/3', HOUR, '1.5'])).toMatchObject({ code: 2 })
})

test('sources alone lists them; nobody is silent, and nothing can be acknowledged', async () => {
  const list = await server.run(['sources', '--from', HOUR, '--to', '2025-07-28T03Z', '--json'])
  expect(JSON.parse(list.stdout)).toMatchObject({ source: '/gateway/3', events: 2 })
  expect((await server.run(['sources', 'silent'])).stdout).toBe('No source is silent.\n')
  const refused = await server.run(['sources', 'acknowledge', '/gateway/3'])
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('source/not_silent') })
})
