import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lagoAt, openmeterAt, stripeAt } from './compat-clients.ts'
import { testServer, type TestServer } from './http-server.ts'
import { itemOf, publishTypes, rateOf, typeOf } from './published-types.ts'

// Guarantee: a client is told about its own fields, whatever is wrong, and by a code of docs/errors.md.

let [open, known]: TestServer[] = []
beforeAll(async () => {
  ;[open, known] = await Promise.all([
    testServer({ backfillReachMs: 400 * 86_400_000 }),
    testServer({ taken: 'known' }),
  ])
  for (const server of [open, known]) {
    const types = {
      prompt: typeOf('Prompt', 'token', 'tokens'),
      bare: { component: 'processing', operation: 'Prompt' },
      unnamed: { component: 'processing', quantities: { token: 'tokens' } },
    }
    await publishTypes(server, types, { Tokens: itemOf({ default: rateOf('Prompt', 'token') }) })
    const init = { method: 'PUT', body: JSON.stringify({ closed: '2020-01-01T00:00:00Z' }) }
    const closed = await server.ask('/v1/accounts/closed', { ...init, type: 'application/json' })
    if (closed.status !== 201) throw new Error(closed.text)
  }
})
afterAll(() => Promise.all([open!.close(), known!.close()]))

interface Place {
  readonly url: string
  readonly key: string
}

/** Sends one event with a member changed, by the real package. @returns the code and the sentence of the refusal */
type Send = (place: Place, changed: object) => Promise<readonly [code: string, detail: string]>

async function refusalOf<Thrown>(work: () => Promise<unknown>): Promise<Thrown> {
  try {
    await work()
  } catch (error) {
    return error as Thrown
  }
  throw new Error('it was not refused')
}

const bySender: Readonly<Record<'lago' | 'stripe' | 'openmeter', Send>> = {
  async lago(place, changed) {
    const { code, ...rest } = { code: 'prompt', ...changed }
    const event = {
      transaction_id: `l-${Math.random()}`,
      external_subscription_id: 'acme',
      timestamp: String(Math.floor(Date.now() / 1000)),
      properties: { tokens: '2' },
      ...rest,
      code,
    }
    type Thrown = { error: { error_details: { event: [string, string] } } }
    const { error } = await refusalOf<Thrown>(() => lagoAt(place).events.createEvent({ event }))
    return error.error_details.event
  },
  async stripe(place, changed) {
    const event = {
      event_name: 'prompt',
      payload: { stripe_customer_id: 'acme', tokens: '2' },
      identifier: `s-${Math.random()}`,
      ...changed,
    }
    type Thrown = { code: string; message: string }
    const thrown = await refusalOf<Thrown>(() => stripeAt(place).billing.meterEvents.create(event))
    return [thrown.code, thrown.message]
  },
  async openmeter(place, changed) {
    const event = {
      id: `o-${Math.random()}`,
      source: 's',
      type: 'prompt',
      subject: 'acme',
      data: { tokens: 2 },
      ...changed,
    }
    const { message } = await refusalOf<Error>(() => openmeterAt(place).events.ingest(event))
    // The package keeps the sentence of the answer, and not its code.
    const answer = await fetch(`${place.url}/api/v1/events`, {
      method: 'POST',
      body: JSON.stringify({ specversion: '1.0', ...event }),
      headers: { 'content-type': 'application/cloudevents+json', authorization: `Bearer ${place.key}` },
    })
    const { code } = (await answer.json()) as { readonly code: string }
    return [code, message]
  },
}

const LONG = 'x'.repeat(600)
const CUSTOMER = { stripe_customer_id: 'acme' }
const LATER = Math.floor(Date.now() / 1000) + 86_400

type Row = readonly [code: string, changed: object, says: string, at?: 'known' | 'bound']

const ROWS: Readonly<Record<keyof typeof bySender, readonly Row[]>> = {
  lago: [
    ['event/missing_attribute', { external_subscription_id: '' }, 'external_subscription_id is missing: '],
    ['event/missing_attribute', { external_subscription_id: null }, 'external_subscription_id is missing: '],
    ['event/missing_attribute', { transaction_id: '' }, 'transaction_id is missing: '],
    ['event/missing_attribute', { code: '' }, 'code is missing: '],
    ['event/invalid_attribute', { transaction_id: 7 }, 'transaction_id is not a string: '],
    [
      'event/invalid_attribute',
      { external_subscription_id: [] },
      'external_subscription_id is not a string: ',
    ],
    ['event/invalid_attribute', { code: {} }, 'code is not a string: '],
    ['event/too_old', { timestamp: 946_684_800 }, 'timestamp is '],
    ['event/invalid_text', { transaction_id: 'a\0' }, 'transaction_id contains the character U+0000'],
    ['event/invalid_text', { properties: { tokens: '1', note: '\0' } }, 'properties has a text with U+0000'],
    [
      'event/invalid_text',
      { precise_total_amount_cents: '\0' },
      'precise_total_amount_cents has a text with',
    ],
    ['event/too_long', { transaction_id: LONG }, 'transaction_id is longer than 512 bytes'],
    [
      'event/too_long',
      { external_subscription_id: LONG },
      'external_subscription_id is longer than 255 bytes',
    ],
    [
      'event/too_long',
      { properties: { tokens: '1', note: 'x'.repeat(70_000) } },
      'properties is longer than',
    ],
    ['event/invalid_time', { timestamp: 'soon' }, 'timestamp is not seconds since 1970: '],
    ['event/time_out_of_range', { timestamp: LATER }, 'timestamp is over 5 minutes later than now'],
    ['event/time_out_of_range', { timestamp: '5' }, 'timestamp is before 2000-01-01'],
    ['event/invalid_data', { properties: 'many' }, 'properties is not a JSON object: '],
    ['event/invalid_data', { code: 'unnamed' }, 'properties.operation is missing: '],
    ['event/invalid_data', { properties: { tokens: '1', project: 7 } }, 'properties.project is not a string'],
    ['event/invalid_quantity', { properties: {} }, 'properties.tokens is missing: '],
    [
      'event/invalid_quantity',
      { properties: { tokens: 'many' } },
      'properties.tokens is not a plain decimal: ',
    ],
    ['event/invalid_quantity', { properties: { tokens: 0.5 } }, 'properties.tokens is a JSON number'],
    [
      'event/missing_unit',
      { code: 'bare' },
      'properties.quantities.token is missing: Tokens/default is charged',
    ],
    ['event/foreign_account', {}, 'external_subscription_id is not the account of this key', 'bound'],
    ['event/unknown_account', {}, 'external_subscription_id is no known account', 'known'],
    ['event/account_closed', { external_subscription_id: 'closed' }, 'The account is closed since'],
  ],
  stripe: [
    ['event/missing_attribute', { payload: { tokens: '2' } }, 'payload[stripe_customer_id] is missing: '],
    ['event/missing_attribute', { event_name: '' }, 'event_name is missing: '],
    ['event/missing_attribute', { identifier: '' }, 'identifier is missing: '],
    ['event/invalid_text', { identifier: 'a\0' }, 'identifier contains the character U+0000'],
    [
      'event/invalid_text',
      { payload: { ...CUSTOMER, tokens: '1', a: '\0' } },
      'payload has a text with U+0000',
    ],
    ['event/too_long', { identifier: LONG }, 'identifier is longer than 512 bytes'],
    ['event/too_long', { event_name: LONG }, 'event_name is longer than 255 bytes'],
    [
      'event/too_long',
      { payload: { stripe_customer_id: LONG } },
      'payload[stripe_customer_id] is longer than',
    ],
    ['event/invalid_time', { timestamp: -1 }, 'timestamp is not seconds since 1970: '],
    ['event/time_out_of_range', { timestamp: LATER }, 'timestamp is over 5 minutes later than now'],
    ['event/time_out_of_range', { timestamp: 5 }, 'timestamp is before 2000-01-01'],
    ['event/invalid_data', { event_name: 'unnamed' }, 'payload[operation] is missing: '],
    ['event/invalid_quantity', { payload: CUSTOMER }, 'payload[tokens] is missing: '],
    [
      'event/invalid_quantity',
      { payload: { ...CUSTOMER, tokens: '1,5' } },
      'payload[tokens] is not a plain decimal',
    ],
    ['event/invalid_quantity', { payload: { ...CUSTOMER, tokens: '-1' } }, 'payload[tokens] is negative: '],
    [
      'event/missing_unit',
      { event_name: 'bare' },
      'payload has no token: Tokens/default is charged by it. Say in the price book',
    ],
    ['event/foreign_account', {}, 'payload[stripe_customer_id] is not the account of this key', 'bound'],
    ['event/unknown_account', {}, 'payload[stripe_customer_id] is no known account', 'known'],
    [
      'event/account_closed',
      { payload: { stripe_customer_id: 'closed', tokens: '2' } },
      'The account is closed since',
    ],
  ],
  openmeter: [
    ['event/missing_attribute', { subject: '' }, 'subject (the account) is missing: '],
    ['event/missing_attribute', { type: '' }, 'type is missing: '],
    ['event/invalid_attribute', { id: 7 }, 'id is not a string: '],
    ['event/invalid_text', { id: 'a\0' }, 'id contains the character U+0000'],
    ['event/too_long', { source: LONG }, 'source is longer than 512 bytes'],
    ['event/invalid_data', { data: [1] }, 'data is not a JSON object: '],
    ['event/invalid_quantity', { data: {} }, 'data.tokens is missing: '],
    ['event/missing_unit', { type: 'bare' }, 'data.quantities.token is missing: '],
    ['event/foreign_account', {}, 'subject is not the account of this key', 'bound'],
    ['event/unknown_account', {}, 'subject is no known account', 'known'],
    ['event/account_closed', { subject: 'closed' }, 'The account is closed since'],
  ],
}

/** Names of CloudEvents, where neither Lago's nor Stripe's clients have them. */
const CORE_WORDS = /\bsubject\b|\bdata[.\s]|^(?:id|type|time) |\bsource\b/

for (const [sender, rows] of Object.entries(ROWS) as [keyof typeof bySender, readonly Row[]][]) {
  describe(`the package of ${sender} is told about its own fields`, () => {
    for (const [code, changed, says, at] of rows) {
      test(`${code}: ${says} (${JSON.stringify(changed).slice(0, 60)})`, async () => {
        const server = at === 'known' ? known! : open!
        const key = at === 'bound' ? await server.key(['usage:write'], 'other') : server.adminKey
        const [told, detail] = await bySender[sender]({ url: server.url, key }, changed)
        expect([told, detail]).toEqual([code, expect.stringContaining(says)])
        if (sender === 'openmeter') return
        expect(detail.startsWith(says)).toBe(true)
        expect(detail.replace(/ (?:Say|Or say) in the price book.*/, '')).not.toMatch(CORE_WORDS)
      })
    }
  })
}

test('what the text of a Lago event says twice or inexactly is named by its place in that text', async () => {
  const post = (text: string) =>
    open!.ask('/api/v1/events', { method: 'POST', body: text, type: 'application/json' })
  const event = (properties: string) =>
    `{"event":{"transaction_id":"t","external_subscription_id":"acme","code":"prompt","properties":${properties}}}`
  for (const [text, code, says] of [
    [event('{"tokens":1e-400}'), 'event/inexact_number', 'properties.tokens is the JSON number'],
    [event('{"tokens":1,"tokens":2}'), 'event/repeated_key', 'properties.tokens is there more than once'],
    ['{"event":7}', 'event/not_an_object', 'event is not an object'],
    [event(`${'['.repeat(200)}${']'.repeat(200)}`), 'event/unreadable', 'The event is nested deeper than'],
  ] as const) {
    const { status, json } = await post(text)
    expect([status, json.error_details.event]).toEqual([422, [code, expect.stringContaining(says) as string]])
  }
})

test('an identifier that is taken by other content is named by each client as its own', async () => {
  const place = { url: open!.url, key: open!.adminKey }
  const send = (tokens: string) =>
    stripeAt(place).billing.meterEvents.create({
      event_name: 'prompt',
      identifier: 'taken',
      payload: { stripe_customer_id: 'acme', tokens },
    })
  await send('1')
  await expect(send('2')).rejects.toThrow(
    'Another event of this account and identifier, with other content, was accepted before: send new usage under a new identifier.',
  )
})

/** What these protocols cannot send, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  'event/reserved_source': 'their source is fixed',
  'event/too_many_series': 'no server of these tests limits series; series-limit.test.ts does',
  'event/missing_data': 'without properties or payload the data is empty',
  'event/unstorable': 'no event is known that passes the checks and cannot be stored',
}

test('every code of a rejection is tried with Lago', () => {
  const page = readFileSync('docs/errors.md', 'utf8')
  const section = page.split('### Rejected: ')[1]!.split('\n### ')[0]!
  const codes = [...section.matchAll(/^\| `(event\/[a-z_]+)` \|/gm)].map(([, code]) => code!)
  const inText = ['event/inexact_number', 'event/repeated_key', 'event/not_an_object', 'event/unreadable']
  const tried = new Set([...ROWS.lago.map(([code]) => code), ...inText])
  expect(codes.length).toBeGreaterThan(15)
  expect(codes.filter((code) => !tried.has(code) && !(code in UNREACHABLE))).toEqual([])
})
