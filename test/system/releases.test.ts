import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { formatHour, formatHourStart, type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { requestEvent, testServer, type TestServer } from './http-server.ts'
import { inUnits } from './used-in-units.ts'

// The whole way of held usage: held for want of an operation, a type or a price; then a price book that covers it is
// published; then it is billed at the price of its own hour, in its own bill where that was open, else as a correction.

/** The test settles the current hour, and must not cross into another one. */
const leftMs = 3_600_000 - (Date.now() % 3_600_000)
if (leftMs < 90_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 100))

const now = hourOf(Date.now() as Instant)
const first = (now - 6) as Hour
/** Before any price of the reference price book is in force. */
const old = hourOf(Date.parse('2024-12-31T05:00:00Z') as Instant)

const at = (hour: number) => formatInstant((startOf(hour as Hour) + 60_000) as Instant)
const request = (id: string, hour: number, operation: string) =>
  requestEvent(id, { time: at(hour), data: { operation, status: 200 } })
const page = (id: string, hour: number) =>
  requestEvent(id, {
    type: 'com.acme.page',
    time: at(hour),
    data: { mode: 'sync', quantities: { page: 3 }, project: 'books' },
  })

let server: TestServer
beforeAll(async () => {
  server = await testServer({ firstHour: first })
})
afterAll(() => server.close())

async function get(path: string) {
  const answer = await server.ask(path)
  expect([path, answer.status]).toEqual([path, 200])
  return answer.json
}

async function bills() {
  const { items } = await get('/v1/bills?account=acme')
  return Promise.all(items.map(({ id }: { id: string }) => get(`/v1/bills/${id}`)))
}

interface Line {
  readonly usageHour: string
  readonly item: string
  readonly quantity: string
  readonly unitPrice: string
  readonly corrects: string | null
}

/** Of each bill the lines of held usage: [hour of the bill, usage hour, item, quantity, unit price, corrects]. */
async function released() {
  const lines = (await bills()).flatMap(({ cycle, lines: own }) =>
    own.map(({ usageHour, item, quantity, unitPrice, corrects }: Line) => [
      cycle.from,
      usageHour,
      item,
      quantity,
      unitPrice,
      corrects,
    ]),
  )
  return lines.filter(([, hour, item]) => item !== 'StandardQueryL0' || hour < '2025')
}

async function usage() {
  const query = `from=${formatHourStart(first)}&to=${formatHourStart((now + 1) as Hour)}&window=hour&groupBy=item`
  return inUnits((await get(`/v1/usage?account=acme&${query}`)).items)
}

interface Book {
  readonly items: { readonly [item: string]: Json }
}

/** The reference price book with what was missing. Teleporting became dearer two hours after the first one. */
async function publishWhatIsMissing(): Promise<void> {
  const { book } = (await get('/v1/price-book')) as { readonly book: Book }
  const dearer = formatHourStart((first + 2) as Hour)
  const more = {
    Teleportation: {
      component: 'request',
      rates: {
        default: {
          operations: ['Teleport'],
          unit: 'call',
          per: 1,
          prices: [
            { from: '2020-01-01T00:00:00Z', price: '1' },
            { from: dearer, price: '2' },
          ],
        },
      },
    },
    Pages: {
      component: 'processing',
      rates: {
        default: {
          operations: ['PrintPage'],
          unit: 'page',
          per: 1,
          prices: [{ from: '2020-01-01T00:00:00Z', price: '0.25' }],
        },
      },
    },
    // Before 2025 a simple query had no price.
    OldQuery: {
      component: 'request',
      rates: {
        default: {
          operations: ['SimpleQuery'],
          unit: 'call',
          per: 1,
          prices: [{ from: '2024-01-01T00:00:00Z', price: '0.5' }],
          until: '2025-01-01T00:00:00Z',
        },
      },
    },
  }
  const eventTypes = { 'com.acme.page': { component: 'processing', operation: 'PrintPage' } }
  const body = JSON.stringify({ ...book, eventTypes, items: { ...book.items, ...more } })
  const init = { method: 'POST', body, type: 'application/json' }
  const answer = await server.ask('/v1/price-book', init)
  expect([answer.status, answer.json.published]).toEqual([201, true])
}

test('held usage, from its arrival to its bill', async () => {
  const sent = await server.send([
    // Sealed and settled as held: beside other usage, alone, of an unknown type, and of long ago.
    request('beside', first, 'Teleport'),
    request('known', first, 'SimpleQuery'),
    request('alone', first + 2, 'Teleport'),
    page('page', first + 1),
    request('old', old, 'SimpleQuery'),
  ])
  expect(sent.json).toMatchObject({ accepted: 1, held: 4 })
  await server.settle({ graceMs: Date.now() - startOf((now - 1) as Hour) })
  const open = await server.send([
    // Open when the price book is published: an hour that lasts, and history.
    request('live', now - 1, 'Teleport'),
    request('backfill', old + 1, 'SimpleQuery'),
    // Too late for its own hour, and held too.
    request('late', first, 'Teleport'),
  ])
  expect(open.json).toMatchObject({ held: 3 })

  const groups = (await get('/v1/held-events')).items
  expect(groups.map(({ code, subject, events }: Record<string, unknown>) => [code, subject, events])).toEqual(
    [
      ['held/price_unknown', 'SimpleQuery', 2],
      ['held/unknown_operation', 'Teleport', 4],
      ['held/unknown_type', 'com.acme.page', 1],
    ],
  )
  for (const { advice } of groups) expect(advice).toMatch(/^publish a price book that .+\.$/)
  expect(await released()).toEqual([])
  const story = await get('/v1/events?account=acme&id=beside')
  expect(story.stored[0].steps.at(-2)).toMatchObject({
    at: expect.any(String),
    text: expect.stringMatching(/^Held: .+ It is kept, and billed once a version of the price book/),
  })

  await publishWhatIsMissing()
  await server.settle({ graceMs: Date.now() - startOf((now - 1) as Hour) })
  expect((await get('/v1/held-events')).items).toEqual([])
  expect((await get('/v1/held-events/events')).items).toEqual([])
  // Usage up to now knows what comes: by the hour in which it happened, before it is billed.
  const before = await usage()
  expect(before).toContainEqual(
    expect.objectContaining({
      from: formatHourStart(first),
      item: 'Teleportation',
      quantity: '2',
      amount: '2',
    }),
  )
  await server.settle({ graceMs: Date.now() - startOf((now + 1) as Hour) })
  expect(await usage()).toEqual(before)

  const [h, late, own] = [(hour: number) => formatHourStart(hour as Hour), now, `${formatHour(first)}.acme`]
  expect(await released()).toEqual([
    [h(old + 1), h(old + 1), 'OldQuery', '1', '0.5', null],
    [h(now - 1), h(now - 1), 'Teleportation', '1', '2', null],
    [h(late), h(old), 'OldQuery', '1', '0.5', null],
    // The one that was held, and the one that was late as well.
    [h(late), h(first), 'Teleportation', '2', '1', own],
    [h(late), h(first + 1), 'Pages', '3', '0.25', null],
    [h(late), h(first + 2), 'Teleportation', '1', '2', null],
  ])
  const differences: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(server.database.pool, all)) differences.push(one)
  expect(differences).toEqual([])
  await expectShown(`${formatHour(late)}.acme`)
}, 120_000)

/** From the line to the events that were released, and from one of them to the line. */
async function expectShown(bill: string): Promise<void> {
  const { lines } = await get(`/v1/bills/${bill}`)
  const of = (hour: Hour) => lines.find(({ usageHour }: Line) => usageHour === formatHourStart(hour)).number
  const { items } = await get(`/v1/bills/${bill}/lines/${of(first)}/events`)
  const shown = items.map(({ event, voided, quantity }: Record<string, { id: string }>) => [
    event!.id,
    voided,
    quantity,
  ])
  expect(shown).toEqual([
    ['beside', false, '1'],
    ['late', false, '1'],
  ])
  const { stored } = await get('/v1/events?account=acme&id=alone')
  expect(stored).toMatchObject([{ bill, lines: [of((first + 2) as Hour)], outcome: 'accepted', late: true }])
  const texts = stored[0].steps.map(({ text }: { text: string }) => text)
  expect(texts.slice(-5)).toEqual([
    expect.stringMatching(/^It was held when its hour was sealed, and is not on the bill of .+ Teleport\.$/),
    expect.stringMatching(/^Released when the price book covered it: it counts in the bill of /),
    '1 call under Teleportation/default, at 2 USD per call.',
    `On the bill ${bill}, in line ${of((first + 2) as Hour)}.`,
    `Line ${of((first + 2) as Hour)}: 1 call × 2 = 2 USD.`,
  ])
}
