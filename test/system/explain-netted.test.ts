import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatHour } from '../../src/core/time/hour.ts'
import { farthing } from './cli-run.ts'
import { requestEvent, type TestServer } from './http-server.ts'
import { at, first, now, voidServer, type VoidServer } from './void-server.ts'

// Guarantee: of an event that counts, and is on no line all the same, `explain` says why.

let world: VoidServer
let server: TestServer
beforeAll(async () => {
  world = await voidServer()
  server = world.server
  await server.send([
    request('other', first),
    request('billed', first, { project: 'p' }),
    request('nothing', first, { count: 0, project: 'n' }),
    request('nothing-back', first, { count: 0, project: 'n' }),
    requestEvent('free', {
      subject: 'acme',
      time: at(first),
      data: { operation: 'GetProject', status: 200 },
    }),
  ])
  await world.settleHours()
  // The hour is settled: all of these come late, into the open one.
  await server.send([
    request('late-back', first, { project: 'q' }),
    request('late-waived', first, { project: 'q', status: 503 }),
    request('late', first, { project: 'p' }),
    request('late-nothing', first, { count: '0', project: 'r' }),
    level('late-level', first),
  ])
  for (const id of ['billed', 'late-back', 'late-waived', 'late-level', 'nothing-back']) {
    const { json } = await world.order({ account: 'acme', id, reason: 'a test' })
    if (json.voided !== 1) throw new Error(`${id}: ${JSON.stringify(json)}`)
  }
  await world.settleHours()
})
afterAll(() => server.close())

function request(id: string, hour: number, data: object = {}) {
  const fields = { operation: 'SimpleQuery', status: 200, ...data }
  return requestEvent(id, { subject: 'acme', time: at(hour), data: fields })
}

function level(id: string, hour: number) {
  const data = { dataset: 'd', bytes: '5000000000' }
  return requestEvent(id, { subject: 'acme', type: 'farthing.storage', time: at(hour), data })
}

const cycle = formatHour(now)
const BOTH = `That was in time: late and voided in the same cycle, it is on no line of the bill of ${cycle}, because the two cancel.`

test.each([
  ['late-back', BOTH],
  ['late-waived', BOTH],
  ['late-level', BOTH],
  [
    'late',
    `Settled: it is on no line of the bill of ${cycle}, because usage of the same line that was voided there cancels it.`,
  ],
  ['billed', `It is given back in ${cycle}, where other usage of the same line makes up for it.`],
  ['nothing', 'Settled: it is on no line, because its quantity is 0.'],
  ['late-nothing', 'Settled: it is on no line, because its quantity is 0.'],
  ['nothing-back', 'Its quantity is 0: there is nothing to give back.'],
  ['free', 'Settled: it is on no line.'],
])('%s', async (id, last) => {
  const { stored } = await world.get(`/v1/events?account=acme&id=${id}`)
  expect(stored).toHaveLength(1)
  expect(stored[0].steps.at(-1).text).toBe(last)
  expect(stored[0].lines).toEqual(id === 'billed' ? [2] : [])
})

test('the command says the same', async () => {
  const env = { FARTHING_URL: server.url, FARTHING_KEY: server.adminKey }
  for (const id of ['late-back', 'late']) {
    const { stdout } = await farthing(['explain', '--account', 'acme', id], { env })
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('cancel')
  }
})
