import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ingest } from '../../src/flows/ingest/ingest-types.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { lagoAt, openmeterAt, publishCompatTypes, stripeAt, usedOf } from './compat-clients.ts'
import { testServer, type TestServer } from './http-server.ts'

/** Deliveries that are refused before one is taken again, and how many were. */
let refusals = 0
let refused = 0
let ingest: Ingest
let server: TestServer

beforeAll(async () => {
  const submit: Ingest['submit'] = async (...delivery) => {
    if (refusals === 0) return ingest.submit(...delivery)
    refusals--
    refused++
    return { ok: false, code: 'ingest/overloaded', detail: 'Later.', retryAfterSeconds: 1 }
  }
  server = await testServer({ ingest: { submit, close: async () => {} } })
  const log = { info() {}, warn() {}, error() {} }
  ingest = await createIngest({ pool: server.database.pool, log })
  await publishCompatTypes(server)
})
beforeEach(() => {
  refused = 0
})
afterAll(async () => {
  await ingest.close()
  await server.close()
})

const place = () => ({ url: server.url, key: server.adminKey })

/** What `work` gives while the next deliveries are refused, and for how long it took. */
async function overloaded(deliveries: number, work: () => Promise<unknown>) {
  refusals = deliveries
  const began = performance.now()
  const result = await work().catch((error: unknown) => ({ thrown: error }))
  return { result, ms: performance.now() - began }
}

describe('an overload, as the packages see it', () => {
  test('@openmeter/sdk throws its HTTPError with the status 429, and sending again counts once', async () => {
    const event = { id: 'o', source: 'app', type: 'prompt', subject: 'om', data: { tokens: '3' } }
    const send = () => openmeterAt(place()).events.ingest(event)
    const { result } = await overloaded(1, send)
    expect(result).toMatchObject({
      thrown: { status: 429, message: expect.stringContaining('Later.') as string },
    })
    expect(await usedOf(server, 'om')).toEqual([])
    await send()
    expect(await usedOf(server, 'om')).toEqual(['Tokens 3 token'])
  })

  const event = (id: string, external_subscription_id: string) => {
    return { transaction_id: id, external_subscription_id, code: 'prompt', properties: { tokens: '2' } }
  }
  test('lago-javascript-client throws its error with the status 429, and sending again counts once', async () => {
    const { events } = lagoAt(place())
    for (const send of [
      () => events.createEvent({ event: event('l', 'la') }),
      () => events.createBatchEvents({ events: [event('l', 'la'), event('m', 'la')] }),
    ]) {
      const { result } = await overloaded(1, send)
      expect(result).toMatchObject({
        thrown: { error: { status: 429, error: 'Too Many Requests', code: 'ingest/overloaded' } },
      })
      await send()
    }
    expect(await usedOf(server, 'la')).toEqual(['Tokens 4 token'])
  })

  test('lago-javascript-client that may retry waits as long as it was asked to, and counts once', async () => {
    const { events } = lagoAt(place(), { rateLimitRetry: { maxRetries: 2 } })
    for (const send of [
      () => events.createEvent({ event: event('n', 'la-retry') }),
      () => events.createBatchEvents({ events: [event('n', 'la-retry'), event('o', 'la-retry')] }),
    ]) {
      const { result, ms } = await overloaded(2, send)
      expect(result).toMatchObject({ status: 200 })
      // Without an answer to how long, it would wait 1 second and then 2.
      expect(ms).toBeGreaterThan(1_900)
      expect(ms).toBeLessThan(2_900)
    }
    expect(await usedOf(server, 'la-retry')).toEqual(['Tokens 4 token'])
  })

  test('stripe repeats it by itself, and counts once', async () => {
    const payload = { stripe_customer_id: 'st', value: '25' }
    const send = () => stripeAt(place(), 2).billing.meterEvents.create({ event_name: 'pages', payload })
    const { result } = await overloaded(2, send)
    expect([result, refused]).toMatchObject([{ object: 'billing.meter_event' }, 2])
    expect(await usedOf(server, 'st')).toEqual(['Pages 25 page'])
  })

  test('stripe that may not throws its StripeRateLimitError', async () => {
    const payload = { stripe_customer_id: 'st-once', value: '25' }
    const send = () => stripeAt(place()).billing.meterEvents.create({ event_name: 'pages', payload })
    const { result } = await overloaded(1, send)
    expect(result).toMatchObject({ thrown: { type: 'StripeRateLimitError', code: 'ingest/overloaded' } })
    expect(await usedOf(server, 'st-once')).toEqual([])
  })
})

test('each of these routes answers 429 with Retry-After', async () => {
  const events = JSON.stringify({ events: [] })
  const form = 'event_name=pages&payload[stripe_customer_id]=x&payload[value]=1'
  for (const [path, type, body, more] of [
    ['/api/v1/events', 'application/json', '[]', { 'x-ratelimit-reset': '1' }],
    ['/api/v3/openmeter/events', 'application/json', '[]', {}],
    ['/api/v1/events/batch', 'application/json', events, { 'x-ratelimit-reset': '1' }],
    [
      '/v1/billing/meter_events',
      'application/x-www-form-urlencoded',
      form,
      { 'stripe-should-retry': 'true' },
    ],
  ] as const) {
    refusals = 1
    const { status, headers, text } = await server.ask(path, { method: 'POST', type, body })
    expect([path, status, text.includes('ingest/overloaded')]).toEqual([path, 429, true])
    expect(Object.fromEntries(headers)).toMatchObject({ 'retry-after': '1', ...more })
  }
})
