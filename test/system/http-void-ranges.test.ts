import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatHourStart, type Hour } from '../../src/core/time/hour.ts'
import { SELECT_EVENTS_MAX } from '../../src/flows/voids/select-events.ts'
import { VOIDS_PER_TRANSACTION_MAX } from '../../src/flows/voids/void-events.ts'
import { requestEvent, type TestServer } from './http-server.ts'
import { at, first, voidServer, type VoidServer } from './void-server.ts'

// Voiding a range of usage: in parts, each event once, whatever breaks off or is ordered twice.

let world: VoidServer
let server: TestServer
beforeAll(async () => {
  world = await voidServer()
  server = world.server
})
afterAll(() => server.close())

const COUNT = 2_500
const reason = 'metered twice'
test('of more events than one transaction voids comes in parts, each event once', async () => {
  const events = Array.from({ length: COUNT }, (_, index) => {
    const data = { operation: index % 5 === 0 ? 'GetProject' : 'SimpleQuery', status: 200 }
    const time = at(first - 1_000 + (index % 3), 1 + (index % 50))
    return { ...requestEvent(`b-${index}`, { subject: 'bulk', time }), time, data }
  })
  const { json } = await server.send(events)
  expect(json.accepted).toBe(COUNT)
  const body = {
    account: 'bulk',
    from: at(first - 1_000, 1),
    to: at(first - 998, 50),
    operation: 'SimpleQuery',
    reason,
  }
  const meant = events.filter(({ time, data }) => time < body.to && data.operation === body.operation).length
  expect(meant).toBeLessThan((COUNT * 4) / 5)
  const dry = await world.parts(body, 'true')
  const done = await world.parts(body, 'false')
  expect(done).toEqual(dry.map((part) => ({ ...part, dryRun: false })))
  expect(done.map(({ events: of }) => of)).toEqual([1_000, meant - 1_000])
  expect(done.at(0).doneUntil).toBe(formatHourStart((first - 999) as Hour))
  const money = done.reduce((sum, { notBilled }) => sum + Number(notBilled) * 1e6, 0)
  expect(Math.round(money)).toBe(-5 * meant)
  const again = await world.parts(body, 'false')
  expect(again.map(({ voided, alreadyVoided }) => [voided, alreadyVoided])).toEqual([
    [0, 1_000],
    [0, meant - 1_000],
  ])
  await server.settle({ graceMs: 600_000 })
  const bills = await world.get('/v1/bills?account=bulk')
  const total = bills.items.reduce(
    (sum: number, bill: { total: string }) => sum + Number(bill.total) * 1e6,
    0,
  )
  expect(Math.round(total)).toBe(5 * ((COUNT * 4) / 5 - meant))
  await world.expectProved()
}, 60_000)

test('ordered twice at once gives each event back once', async () => {
  const events = Array.from({ length: 1_500 }, (_, index) =>
    requestEvent(`t-${index}`, { subject: 'twice', time: at(first - 2_000 + (index % 4), 1) }),
  )
  expect((await server.send(events)).json.accepted).toBe(1_500)
  await world.settleHours()
  const body = { account: 'twice', from: at(first - 2_000, 1), to: at(first - 1_996, 0), reason }
  const orders = await Promise.all([0, 1].map(() => world.parts(body, 'false')))
  const answers = orders.flat()
  const sum = (name: string) => answers.reduce((all, answer) => all + Number(answer[name]), 0)
  expect([sum('events'), sum('voided'), sum('alreadyVoided')]).toEqual([3_000, 1_500, 1_500])
  expect(Math.round(sum('givenBack') * 1e6)).toBe(-7_500)
  await world.settleHours()
  const bills = (await world.get('/v1/bills?account=twice')).items
  expect(bills.map(({ total }: { total: string }) => total)).toEqual([
    ...[0, 1, 2, 3].map(() => '0.001875'),
    '-0.0075',
  ])
  await world.expectProved()
}, 60_000)

test('a call looks at so many events and no more, and the next one goes on', async () => {
  const COPIES = SELECT_EVENTS_MAX + 1
  for (let sent = 0; sent < COPIES; sent += 10_000) {
    const length = Math.min(10_000, COPIES - sent)
    const events = Array.from({ length }, (_, index) =>
      requestEvent(`m-${sent + index}`, { subject: 'many', time: at(first - 3_000, 1) }),
    )
    expect((await server.send(events)).json.accepted).toBe(length)
  }
  const hours = { from: at(first - 3_000, 0), to: at(first - 2_999, 0) }
  const found = await world.parts({ account: 'many', ...hours, operation: 'None', reason }, 'true')
  expect(found.map(({ events: of, doneUntil }) => [of, doneUntil])).toEqual([
    [0, hours.from.replace('.000', '')],
    [0, null],
  ])
}, 60_000)

test('an id of more events than one transaction voids must be said more exactly', async () => {
  const events = Array.from({ length: VOIDS_PER_TRANSACTION_MAX + 1 }, (_, index) =>
    requestEvent('same', { subject: 'sources', source: `s-${index}`, time: at(first - 4_000, 1) }),
  )
  expect((await server.send(events)).json.accepted).toBe(events.length)
  const body = { account: 'sources', id: 'same', reason }
  const { status, json } = await world.order(body)
  expect([status, json.code]).toEqual([422, 'void/too_many'])
  expect((await world.order({ ...body, source: 's-7' })).json).toMatchObject({ events: 1, voided: 1 })
  const later = { ...body, from: at(first - 3_999, 0) }
  expect((await world.order(later)).json.code).toBe('void/not_found')
})
