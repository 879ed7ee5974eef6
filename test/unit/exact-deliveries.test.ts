import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accept } from '../../src/core/ingest/accept.ts'
import { sameContent, type UsageEvent } from '../../src/core/ingest/event.ts'
import { isRejection } from '../../src/core/ingest/rejection.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import type { Delivered } from '../../src/flows/ingest/ingest-types.ts'
import { readDelivery } from '../../src/http/body/read-delivery.ts'
import { table } from '../table.ts'
import { anyJsonText, contentOf, faultPathsOf, printed } from './json-texts.ts'

const TYPES = {
  structured: 'application/cloudevents+json',
  batch: 'application/cloudevents-batch+json',
  lines: 'application/x-ndjson',
} as const
const MODES = ['structured', 'plain', 'batch', 'large batch', 'lines', 'binary', 'base64'] as const
type Mode = (typeof MODES)[number]

const ATTRIBUTES = {
  specversion: '1.0',
  id: 'e',
  source: 's',
  type: 't',
  subject: 'acme',
  time: '2025-07-28T03:00:00Z',
}
const FRONT = JSON.stringify(ATTRIBUTES).slice(0, -1)
const GOOD = `${FRONT},"data":{}}`

/** What a delivery has become, for an event that has these data. */
async function delivered(data: string, mode: Mode): Promise<Delivered> {
  const base64 = Buffer.from(data).toString('base64')
  const event = mode === 'base64' ? `${FRONT},"data_base64":"${base64}"}` : `${FRONT},"data":${data}}`
  if (mode === 'binary') {
    const headers = Object.entries(ATTRIBUTES).map(([name, value]) => [`ce-${name}`, value])
    return sent({ ...Object.fromEntries(headers), 'content-type': 'application/json' }, data)
  }
  if (mode === 'batch') return sent({ 'content-type': TYPES.batch }, `[${GOOD},${event} , ${GOOD}]`, 1)
  if (mode === 'large batch') {
    const many = Array<string>(330).fill(GOOD)
    return sent({ 'content-type': TYPES.batch }, `[${[...many, event, ...many].join(',\n')}]`, 330)
  }
  if (mode === 'lines')
    return sent({ 'content-type': TYPES.lines }, [GOOD, event.replaceAll('\n', ' '), ''].join('\n'), 1)
  return sent({ 'content-type': mode === 'plain' ? 'application/json' : TYPES.structured }, event)
}

async function sent(headers: IncomingHttpHeaders, body: string, at = 0): Promise<Delivered> {
  const { events } = readDelivery(headers, Buffer.from(body))
  expect(events.flatMap((event, index) => ('raw' in event || index === at ? [] : [event]))).toEqual([])
  return events[at]!
}

/** The event, or the sentence that refuses it. */
function read(given: Delivered): UsageEvent | string {
  if ('unreadable' in given) return `${given.unreadable.code} ${given.unreadable.detail}`
  const receivedAt = Date.parse('2025-07-28T03:00:00Z') as Instant
  const event = accept(given.raw, { receivedAt, eventTypes: new Map() })
  return isRejection(event) ? `${event.code} ${event.detail}` : event
}

const CANNOT = 'which a 64-bit float cannot hold exactly: send it as a string.'
for (const { data, says } of table<'data' | 'says'>(String.raw`
  data                                                | says
  {"count":0.99999999999999999999}                    | event/inexact_number data.count is the JSON number 0.99999999999999999999,
  {"count":4503599627370497.5}                        | event/inexact_number data.count is the JSON number 4503599627370497.5,
  {"quantities":{"call":1e-400}}                      | event/inexact_number data.quantities.call is the JSON number 1e-400,
  {"quantities":{"call":9007199254740993}}            | event/inexact_number data.quantities.call is the JSON number 9007199254740993,
  {"a":[{"b":1753671600123456789}]}                   | event/inexact_number data.a[0].b is the JSON number 1753671600123456789,
  {"a":0.1000000000000000055511151231257827}          | event/inexact_number data.a is the JSON number 0.1000000000000000055511151231257827,
  {"a":1e400}                                         | event/inexact_number data.a is the JSON number 1e400,
  {"count":1,"count":1000}                            | event/repeated_key data.count is there more than once: send each key once.
  {"count":1,"count":1}                               | event/repeated_key data.count is
  {"count":1,"c\u006funt":2}                          | event/repeated_key data.count is
  {"quantities":{"call":1,"call":2}}                  | event/repeated_key data.quantities.call is
  {"a":[[],[{"b":{}, "b" : {}}]]}                     | event/repeated_key data.a[1][0].b is
`)) {
  for (const mode of MODES) {
    test(`${mode}: ${data} is refused, and what was sent is kept`, async () => {
      const given = await delivered(data, mode)
      const said = read(given)
      expect(said).toContain(says)
      if (says.includes('inexact')) expect(said).toContain(CANNOT)
      if (mode === 'base64') return
      expect('unreadable' in given && given.text).toContain(data)
      expect('unreadable' in given && given.named).toMatchObject({ id: 'e', source: 's', subject: 'acme' })
    })
  }
}

for (const { event, says, named } of table<'event' | 'says' | 'named'>(`
  event                                                      | says                           | named
  {"subject":"a","subject":"b","id":"1","data":{}}           | event/repeated_key subject is  | {"id":"1"}
  {"id":"1","id":"1","subject":"a","data":{}}                | event/repeated_key id is       | {"subject":"a"}
  {"id":"1","data":{},"data":{"n":1}}                        | event/repeated_key data is     | {"id":"1"}
  {"id":"1","data":{"n":1e999},"subject":"a","subject":"b"}  | event/inexact_number data.n is | {"id":"1"}
  {"id":"1","weight":2147483647.0000000001}                  | event/inexact_number weight is | {"id":"1"}
  {"id":"1","ext":"x","ext":"y"}                             | event/repeated_key ext is      | {"id":"1"}
  1e400                                                      | event/inexact_number The event is the JSON number 1e400, | {}
`)) {
  test(`an attribute that is there twice names nobody: ${event}`, async () => {
    const given = await sent({ 'content-type': TYPES.lines }, event)
    expect(read(given)).toContain(says)
    const { id, subject } =
      (('unreadable' in given ? given.named : undefined) as Record<string, unknown>) ?? {}
    expect(JSON.stringify({ id, subject })).toBe(named)
  })
}

describe('whatever the data of two events are', () => {
  const pair = fc
    .tuple(anyJsonText, anyJsonText, fc.nat(3))
    .map(([a, b, same]) => (same === 0 ? ([a, a] as const) : ([a, b] as const)))
    .map(([a, b]) => [a, b].map((model) => ({ members: [['x', model] as const], space: '' })))
  const modes = fc.tuple(fc.constantFrom(...MODES), fc.constantFrom(...MODES))

  // Guarantee: what is stored says what was sent, to the last digit, and different contents are never duplicates.
  test('what is taken is what was sent, and only equal contents are duplicates', async () => {
    const property = fc.asyncProperty(pair, modes, async (models, [first, second]) => {
      const events = await Promise.all(
        models.map(async (model, at) => read(await delivered(printed(model), at === 0 ? first : second))),
      )
      for (const [at, event] of events.entries()) {
        const faults = faultPathsOf(models[at]!)
        if (typeof event === 'string') {
          const isOfText = /^event\/(?:inexact_number|repeated_key) /.test(event)
          expect(isOfText).toBe(faults.length > 0)
        } else expect(faults).toEqual([])
      }
      const [a, b] = events
      if (typeof a !== 'object' || typeof b !== 'object') return
      const isSame = JSON.stringify(contentOf(models[0]!)) === JSON.stringify(contentOf(models[1]!))
      expect(sameContent(a, b)).toBe(isSame)
    })
    await fc.assert(property, { numRuns: 600 })
  })
})
