import { afterAll, beforeAll, expect, test } from 'vitest'
import { serverProcess, type ServerProcess } from './cli-server.ts'

// Guarantee: `explain` lists events by time, whatever their ids are and however the server pages them; and of a part it
// says that it is one.

let server: ServerProcess
const EVENTS = 25
const HOUR = '2025-07-28T03'

/** The later an event, the smaller its id: in the order of the ids they stand the wrong way round. */
function call(minute: number): string {
  const id = String(1000 - minute)
  const time = `${HOUR}:${String(minute).padStart(2, '0')}:00Z`
  const head = { specversion: '1.0', source: '/api', type: 'farthing.request', subject: 'acme' }
  return JSON.stringify({ ...head, id, time, data: { operation: 'SimpleQuery', status: 200 } })
}

beforeAll(async () => {
  server = await serverProcess()
  const input = Array.from({ length: EVENTS }, (_, minute) => call(minute)).join('\n')
  const sent = await server.run(['import', '-'], { input })
  if (sent.code !== 0) throw new Error(sent.stderr)
})
afterAll(() => server.close())

const times = (text: string) => [...text.matchAll(/^2025-07-28 (03:\d\d) +1 /gm)].map(([, time]) => time)
const minutes = (count: number) =>
  Array.from({ length: count }, (_, minute) => `03:${String(minute).padStart(2, '0')}`)

test('a part is the first events by time, and says of how many', async () => {
  const run = await server.run(['explain', `${HOUR}Z.acme`, '1'])
  expect(times(run.stdout)).toEqual(minutes(10))
  expect(run.stderr).toBe('The first 10 of 25 rows, by time: --events NUMBER shows more.\n')
})

test('all of them, for people and for programs, without a remark', async () => {
  const run = await server.run(['explain', `${HOUR}Z.acme`, '1', '--events', '100'])
  expect([times(run.stdout), run.stderr]).toEqual([minutes(EVENTS), ''])
  const json = await server.good('explain', `${HOUR}Z.acme`, '1', '--events', '100', '--json')
  const { events } = JSON.parse(json) as { events: { event: { time: string } }[] }
  const shown = events.map(({ event }) => event.time)
  expect(shown).toEqual(shown.toSorted())
  expect(shown).toHaveLength(EVENTS)
})

test('the events of one id in one hour: the latest first, whatever their sources are', async () => {
  const head = { specversion: '1.0', id: 'same', type: 'farthing.request', subject: 'acme' }
  const events = [40, 10, 50].map((minute, at) => {
    const source = `/source/${at}`
    return JSON.stringify({
      ...head,
      source,
      time: `${HOUR}:${minute}:00Z`,
      data: { operation: 'SimpleQuery', status: 200 },
    })
  })
  await server.run(['import', '-', '--no-wait'], { input: events.join('\n') })
  const { stored } = JSON.parse(await server.good('explain', '--account', 'acme', 'same', '--json')) as {
    stored: { event: { time: string } }[]
  }
  expect(stored.map(({ event }) => event.time.slice(14, 16))).toEqual(['50', '40', '10'])
})
