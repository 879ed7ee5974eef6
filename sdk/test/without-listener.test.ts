import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { testServer, type TestServer } from '../../test/system/http-server.ts'
import { createMeter } from '../src/create-meter.ts'

// Guarantee: without a listener, what the server says of events is on the console: each kind of it once, then rarely.

let server: TestServer
beforeAll(async () => {
  server = await testServer()
})
afterAll(() => server.close())

test('without a listener, held events are a few lines, one kind for each name that is missing', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const meter = createMeter({ url: server.url, key: server.adminKey, source: '/thin', batchMs: 20 })
  for (let at = 0; at < 150; at++) {
    const operation = at % 3 === 0 ? 'GET /v1/images/:id' : 'POST /v1/images'
    void meter.request({ account: 'thin', operation, status: 200 })
  }
  expect(await meter.flush()).toBe(true)
  expect(meter.stats()).toMatchObject({ held: 150 })
  const lines = warn.mock.calls.map(([line]) => String(line))
  await meter.close()
  warn.mockRestore()
  expect(lines.map((line) => /until now/.test(line))).toEqual([false, false, true, true, true])
  expect(lines.filter((line) => line.includes('GET /v1/images/:id'))).toHaveLength(2)
  expect(lines.at(-1)).toContain('held (held/unknown_operation, 100 until now)')
})

test('without a listener, remarks are a few lines, one kind for each operation that they are about', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const thin = { source: '/thin', batchEvents: 1, batchMs: 20 }
  const meter = createMeter({ url: server.url, key: server.adminKey, ...thin })
  for (let at = 0; at < 24; at++) {
    const operation = at % 2 === 0 ? 'DetectImageFaces' : 'DetectImageLabels'
    void meter.processing({ account: 'thin', operation, quantities: { call: 1, calls: 1 } })
  }
  expect(await meter.flush()).toBe(true)
  expect(meter.stats()).toMatchObject({ accepted: 24 })
  const lines = warn.mock.calls.map(([line]) => String(line))
  await meter.close()
  warn.mockRestore()
  for (const operation of ['DetectImageFaces', 'DetectImageLabels']) {
    expect(lines.filter((line) => line.includes(operation))).toEqual([
      expect.stringContaining('Farthing usage, remark (event/unused_unit): '),
      expect.stringContaining('Farthing usage, remark (event/unused_unit, 10 until now): '),
    ])
  }
  expect(lines).toHaveLength(4)
})
