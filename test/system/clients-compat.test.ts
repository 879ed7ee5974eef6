import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { deployment } from './deployment.ts'
import { lagoAt, openmeterAt, publishCompatTypes, stripeAt, usedOf } from './compat-clients.ts'
import { testServer, type TestServer } from './http-server.ts'
import { losingProxy, type LosingProxy } from './losing-proxy.ts'

let server: TestServer
let proxy: LosingProxy
beforeAll(async () => {
  server = await testServer()
  proxy = await losingProxy(server.url)
  await publishCompatTypes(server)
})
afterAll(async () => {
  await proxy.close()
  await server.close()
})

function used(account: string): Promise<readonly string[]> {
  return usedOf(server, account)
}

/** Its repeats in the very hour of an end of an hour could be two usage hours. */
async function stored(account: string, id: string) {
  return (await server.ask(`/v1/events?account=${account}&id=${id}`)).json.stored
}

describe('the package @openmeter/sdk', () => {
  const open = (url = server.url, key = server.adminKey) => openmeterAt({ url, key })

  test('its events are stored, and the sum of their property is billed', async () => {
    const one = { type: 'prompt', subject: 'om', data: { tokens: '1.5', model: 'large' } }
    await open().events.ingest({ ...one, id: 'a', source: 'app' })
    await open().events.ingest([
      { ...one, id: 'b', source: 'app' },
      { ...one, subject: 'other' },
    ])
    expect(await used('om')).toEqual(['Tokens 3 token'])
    expect(await used('other')).toEqual(['Tokens 1.5 token'])
  })

  test('an event that is sent again after its answer was lost counts once', async () => {
    const event = {
      id: 'lost',
      source: 'app',
      type: 'prompt',
      subject: 'om-lost',
      time: new Date(),
      data: { tokens: 7 },
    }
    proxy.lose(1)
    const lost = proxy.lost()
    await expect(open(proxy.url).events.ingest(event)).rejects.toThrow(/fetch failed/)
    expect(proxy.lost()).toBe(lost + 1)
    await open(proxy.url).events.ingest(event)
    expect(await used('om-lost')).toEqual(['Tokens 7 token'])
  })

  test('a time that is left out is that of the receipt', async () => {
    const event = {
      specversion: '1.0',
      id: 'untimed',
      source: 'x',
      type: 'prompt',
      subject: 'om-now',
      data: { tokens: 1 },
    }
    for (const path of ['/api/v1/events', '/api/v3/openmeter/events', '/api/v1/events']) {
      const init = { method: 'POST', body: JSON.stringify(event), type: 'application/cloudevents+json' }
      expect((await server.ask(path, init)).status).toBe(path.includes('v3') ? 202 : 204)
    }
    const [only, ...others] = await stored('om-now', 'untimed')
    expect(Math.abs(Date.parse(only.event.time) - Date.now())).toBeLessThan(60_000)
    expect(others).toEqual([])
    expect(await used('om-now')).toEqual(['Tokens 1 token'])
    const timed = JSON.stringify({ ...event, time: new Date().toISOString() })
    expect((await server.send(timed)).json.accepted).toBe(0)
  })

  test('what is wrong is told as its HTTPError', async () => {
    const bad = { id: 'bad', source: 'x', type: 'prompt', subject: 'om-bad', data: { tokens: 0.1 } }
    await expect(
      open().events.ingest([bad, { ...bad, id: 'good', data: { tokens: 1 } }]),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('data.tokens is a JSON number that is not whole') as string,
    })
    expect(await used('om-bad')).toEqual(['Tokens 1 token'])
    await expect(open().events.ingest({ ...bad, id: 'good', data: { tokens: 2 } })).rejects.toMatchObject({
      status: 409,
    })
    await expect(open(server.url, 'frt_no').events.ingest(bad)).rejects.toMatchObject({ status: 401 })
    const reader = await server.key(['usage:read'])
    await expect(open(server.url, reader).events.ingest(bad)).rejects.toMatchObject({ status: 403 })
  })
})

describe('the package lago-javascript-client', () => {
  const lago = (url = server.url, key = server.adminKey) => lagoAt({ url, key })
  const now = Math.floor(Date.now() / 1000)
  const event = (transaction_id: string, external_subscription_id: string, more: object = {}) => ({
    transaction_id,
    external_subscription_id,
    code: 'prompt',
    timestamp: String(now),
    properties: { tokens: '2' },
    ...more,
  })

  test('one event, and a batch', async () => {
    const sent = await lago().events.createEvent({
      event: event('t1', 'la', { timestamp: `${now - 1}.250` }),
    })
    expect(sent.data.event).toMatchObject({
      transaction_id: 't1',
      code: 'prompt',
      lago_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
    const batch = await lago().events.createBatchEvents({ events: [event('t2', 'la'), event('t3', 'la')] })
    expect(batch.data.events).toHaveLength(2)
    expect(await used('la')).toEqual(['Tokens 6 token'])
    const [{ event: shown }] = await stored('la', 't1')
    expect(shown).toMatchObject({ source: 'lago', time: new Date((now - 1) * 1000 + 250).toISOString() })
  })

  test('an event that is sent again after its answer was lost counts once', async () => {
    const { timestamp: _, ...untimed } = event('lost', 'la-lost')
    for (const one of [event('lost-timed', 'la-lost'), untimed]) {
      proxy.lose(1)
      await expect(lago(proxy.url).events.createEvent({ event: one })).rejects.toThrow(/fetch failed/)
      await lago(proxy.url).events.createEvent({ event: one })
    }
    expect(await used('la-lost')).toEqual(['Tokens 4 token'])
  })

  test('what is wrong is told in its shape', async () => {
    await lago().events.createEvent({ event: event('taken', 'la-bad') })
    const again = event('taken', 'la-bad', { properties: { tokens: '3' } })
    await expect(lago().events.createEvent({ event: again })).rejects.toMatchObject({
      error: {
        status: 422,
        code: 'validation_errors',
        error_details: { transaction_id: ['value_already_exist'] },
      },
    })
    const events = [event('fine', 'la-bad'), event('x', 'la-bad', { timestamp: 'soon' })]
    await expect(lago().events.createBatchEvents({ events })).rejects.toMatchObject({
      error: { error_details: { '1': { event: ['event/invalid_time', expect.any(String) as string] } } },
    })
    expect(await used('la-bad')).toEqual(['Tokens 4 token'])
    await expect(lago(server.url, 'frt_no').events.createEvent({ event: again })).rejects.toMatchObject({
      error: { status: 401, error: 'Unauthorized', code: 'auth/malformed_key' },
    })
    await expect(lago(server.url, 'frt_no').events.createBatchEvents({ events })).rejects.toMatchObject({
      error: { status: 401, error: 'Unauthorized' },
    })
  })
})

describe('the package stripe', () => {
  const stripe = (url = server.url, key = server.adminKey, retries = 0) => stripeAt({ url, key }, retries)
  const event = (customer: string, more: object = {}) => ({
    event_name: 'pages',
    payload: { stripe_customer_id: customer, value: '25' },
    ...more,
  })

  test('a meter event is stored, with the quantity of its payload', async () => {
    const timestamp = Math.floor(Date.now() / 1000) - 5
    const sent = event('st', { identifier: 'm 1 & \u20ac', timestamp })
    expect(await stripe().billing.meterEvents.create(sent)).toMatchObject({
      ...sent,
      object: 'billing.meter_event',
    })
    expect(await used('st')).toEqual(['Pages 25 page'])
    const [{ event: shown }] = await stored('st', encodeURIComponent('m 1 & \u20ac'))
    expect(shown).toMatchObject({
      source: 'stripe',
      type: 'pages',
      time: new Date(timestamp * 1000).toISOString(),
    })
  })

  for (const identifier of ['own', undefined]) {
    test(`its own retry counts once, ${identifier ? 'with an identifier' : 'without an identifier'}`, async () => {
      const customer = `st-${identifier}`
      proxy.lose(1)
      const lost = proxy.lost()
      const more = identifier ? { identifier } : {}
      await stripe(proxy.url, server.adminKey, 2).billing.meterEvents.create(event(customer, more))
      expect(proxy.lost()).toBe(lost + 1)
      expect(await used(customer)).toEqual(['Pages 25 page'])
    })
  }

  test('what is wrong is told in its shape', async () => {
    const create = (sent: ReturnType<typeof event>, key?: string, options = {}) =>
      stripe(server.url, key).billing.meterEvents.create(sent, options)
    await create(event('st-bad', { identifier: 'taken' }))
    const other = { ...event('st-bad'), payload: { stripe_customer_id: 'st-bad', value: '26' } }
    await expect(create({ ...other, identifier: 'taken' } as never)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      code: 'event/conflict',
    })
    await create(event('st-bad'), undefined, { idempotencyKey: 'k' })
    await expect(create(other, undefined, { idempotencyKey: 'k' })).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
    })
    const { stripe_customer_id: _, ...anonymous } = other.payload
    await expect(create({ ...other, payload: anonymous } as never)).rejects.toMatchObject({
      code: 'event/missing_attribute',
    })
    await expect(create(other, 'frt_no')).rejects.toMatchObject({ type: 'StripeAuthenticationError' })
    expect(await used('st-bad')).toEqual(['Pages 50 page'])
  })

  test('the key may be the user name of HTTP Basic, here alone', async () => {
    const authorization = `Basic ${Buffer.from(`${server.adminKey}:`).toString('base64')}`
    const init = { method: 'POST', key: undefined, headers: { authorization } }
    const body = 'event_name=pages&identifier=basic&payload[stripe_customer_id]=st-basic&payload%5Bvalue%5D=1'
    const form = 'application/x-www-form-urlencoded'
    expect((await server.ask('/v1/billing/meter_events', { ...init, body, type: form })).status).toBe(200)
    expect((await server.ask('/v1/events', { ...init, body: '[]', type: 'application/json' })).status).toBe(
      401,
    )
  })

  test('a form that cannot be read is refused', async () => {
    for (const [body, type] of [
      ['event_name=%FF', 'application/x-www-form-urlencoded'],
      ['event_name=a&event_name=b', 'application/x-www-form-urlencoded'],
      ['{}', 'application/json'],
    ] as const) {
      const answer = await server.ask('/v1/billing/meter_events', { method: 'POST', body, type })
      expect([body, answer.status, answer.json.error.type]).toEqual([
        body,
        type === 'application/json' ? 415 : 400,
        'invalid_request_error',
      ])
    }
  })
})

test('a key of one account sends for no other by any of these protocols', async () => {
  const key = await server.key(['usage:write'], 'own')
  const cloudEvent = {
    specversion: '1.0',
    id: 'f',
    source: 's',
    type: 'prompt',
    subject: 'foreign',
    data: { tokens: 1 },
  }
  const lagoEvent = { transaction_id: 'f', external_subscription_id: 'foreign', code: 'prompt' }
  const form = 'event_name=pages&identifier=f&payload[stripe_customer_id]=foreign&payload[value]=1'
  for (const [path, type, body, status] of [
    ['/api/v1/events', 'application/json', JSON.stringify(cloudEvent), 400],
    ['/api/v3/openmeter/events', 'application/json', JSON.stringify(cloudEvent), 400],
    ['/api/v1/events', 'application/json', JSON.stringify({ event: lagoEvent }), 422],
    ['/api/v1/events/batch', 'application/json', JSON.stringify({ events: [lagoEvent] }), 422],
    ['/v1/billing/meter_events', 'application/x-www-form-urlencoded', form, 400],
  ] as const) {
    const answer = await server.ask(path, { method: 'POST', body, type, key })
    expect([path, answer.status, answer.text.includes('event/foreign_account')]).toEqual([path, status, true])
  }
})

test('a repeat without a time that comes after the end of the hour is billed once', async () => {
  const first = (hourOf(Date.now() as Instant) - 4) as Hour
  const own = await deployment(first)
  const raw = {
    specversion: '1.0',
    id: 'r',
    source: 'stripe',
    type: 'farthing.processing',
    subject: 'acme',
    data: { operation: 'DetectImageFaces', mode: 'sync', quantities: { call: 1 } },
  }
  const sendAt = (at: number) => {
    const clock = vi.spyOn(Date, 'now').mockReturnValue(at)
    const submitted = own.ingest.submit([{ raw, untimed: true }], undefined)
    clock.mockRestore()
    return submitted
  }
  const end = startOf((first + 1) as Hour)
  for (const at of [end - 2_000, end - 1_000, end + 1_000]) {
    expect(await sendAt(at)).toMatchObject({ ok: true })
  }
  await own.settle()
  const lines = (await own.billsOf('acme')).flatMap((bill) => bill.lines)
  expect(lines).toHaveLength(1)
  await own.close()
})
