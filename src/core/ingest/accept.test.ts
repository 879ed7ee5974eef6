import { expect, test } from 'vitest'
import { ACCEPTANCE, cloudEvent, RECEIVED_AT } from '../../../test/unit/oracle-event.ts'
import { table } from '../../../test/table.ts'
import type { Json } from '../text/canonical-json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import { accept, DATA_BYTES_MAX, DEPTH_MAX, EARLIEST, FUTURE_MS_MAX } from './accept.ts'
import { UNITS_MAX } from './read-usage.ts'
import { isRejection } from './rejection.ts'

/** The code that refuses an event, or `accepted`. */
function outcomeOf(raw: Json): string {
  const event = accept(raw, ACCEPTANCE)
  return isRejection(event) ? event.code : 'accepted'
}

const parse = (json: string) => (json === 'absent' ? undefined : (JSON.parse(json) as Json))

for (const { attribute, value, outcome } of table<'attribute' | 'value' | 'outcome'>(`
  attribute       | value                          | outcome
  specversion     | absent                         | event/missing_attribute
  specversion     | "0.3"                          | event/invalid_attribute
  specversion     | 1                              | event/invalid_attribute
  specversion     | null                           | event/missing_attribute
  id              | absent                         | event/missing_attribute
  id              | ""                             | event/missing_attribute
  id              | null                           | event/missing_attribute
  id              | 17                             | event/invalid_attribute
  id              | " "                            | accepted
  id              | "a\\u0000b"                    | event/invalid_text
  id              | "\\ud83d"                      | event/invalid_text
  id              | "\\udcbe\\ud83d"               | event/invalid_text
  id              | "\\ud83e\\uddfe"               | accepted
  source          | absent                         | event/missing_attribute
  source          | ["/api"]                       | event/invalid_attribute
  source          | "/\\u0000"                     | event/invalid_text
  source          | "/\\udc00"                     | event/invalid_text
  type            | absent                         | event/missing_attribute
  type            | {}                             | event/invalid_attribute
  type            | "com.example.unheard-of"       | accepted
  subject         | absent                         | event/missing_attribute
  subject         | ""                             | event/missing_attribute
  subject         | true                           | event/invalid_attribute
  subject         | "\\ud800"                      | event/invalid_text
  time            | absent                         | event/missing_attribute
  time            | null                           | event/missing_attribute
  time            | 1753671600                     | event/invalid_time
  time            | ""                             | event/invalid_time
  time            | "2025-07-28T03:00:00"          | event/invalid_time
  time            | "2025-07-28T03:00:60Z"         | event/invalid_time
  time            | "yesterday"                    | event/invalid_time
  time            | "1999-12-31T23:59:59.999Z"     | event/time_out_of_range
  time            | "2000-01-01T00:00:00Z"         | accepted
  time            | "0000-01-01T00:00:00Z"         | event/time_out_of_range
  time            | "2026-01-01T00:05:00Z"         | accepted
  time            | "2026-01-01T00:05:00.001Z"     | event/time_out_of_range
  time            | "9999-12-31T23:59:59Z"         | event/time_out_of_range
  data            | absent                         | event/missing_data
  data            | null                           | event/missing_data
  data            | []                             | event/invalid_data
  data            | "{}"                           | event/invalid_data
  data_base64     | "e30="                         | event/invalid_data
  data_base64     | null                           | accepted
  traceparent     | "00-4bf9-00"                   | accepted
  traceparent     | "\\u0000"                      | event/invalid_text
  datacontenttype | "application/json"             | accepted
  datacontenttype | null                           | accepted
  datacontenttype | 7                              | event/invalid_attribute
  dataschema      | "https://example.com/s"        | accepted
  dataschema      | true                           | event/invalid_attribute
  retries         | 2147483647                     | accepted
  retries         | -2147483648                    | accepted
  retries         | 2147483648                     | event/invalid_attribute
  retries         | -2147483649                    | event/invalid_attribute
  retries         | 1.5                            | event/invalid_attribute
  sampled         | false                          | accepted
  sampled         | null                           | accepted
  sampled         | [false]                        | event/invalid_attribute
  sampled         | {}                             | event/invalid_attribute
  0               | "a digit is a name"            | accepted
  traceParent     | "00"                           | event/invalid_attribute
  trace_parent    | "00"                           | event/invalid_attribute
  Subject         | "acme"                         | event/invalid_attribute
`)) {
  test(`${attribute} ${value}: ${outcome}`, () => {
    expect(outcomeOf(cloudEvent({ [attribute]: parse(value) }))).toBe(outcome)
  })
}

for (const { type, data, outcome } of table<'type' | 'data' | 'outcome'>(`
  type       | data                                                                             | outcome
  request    | {"operation":"A","status":200}                                                   | accepted
  request    | {"operation":"A","status":100}                                                   | accepted
  request    | {"operation":"A","status":599}                                                   | accepted
  request    | {"operation":"A","status":99}                                                    | event/invalid_data
  request    | {"operation":"A","status":600}                                                   | event/invalid_data
  request    | {"operation":"A","status":200.5}                                                 | event/invalid_data
  request    | {"operation":"A","status":"200"}                                                 | event/invalid_data
  request    | {"operation":"A"}                                                                | event/invalid_data
  request    | {"status":200}                                                                   | event/invalid_data
  request    | {"operation":"","status":200}                                                    | event/invalid_data
  request    | {"operation":5,"status":200}                                                     | event/invalid_data
  request    | {"operation":"A\\u0000","status":200}                                            | event/invalid_text
  request    | {"operation":"A","status":200,"project":7}                                       | event/invalid_data
  request    | {"operation":"A","status":200,"project":""}                                      | accepted
  request    | {"operation":"A","status":200,"region":["eu"]}                                   | event/invalid_data
  request    | {"operation":"A","status":200,"count":0}                                         | accepted
  request    | {"operation":"A","status":200,"count":"12345678901234567890"}                    | accepted
  request    | {"operation":"A","status":200,"count":-1}                                        | event/invalid_quantity
  request    | {"operation":"A","status":200,"count":1.5}                                       | event/invalid_quantity
  request    | {"operation":"A","status":200,"count":"1.5"}                                     | event/invalid_quantity
  request    | {"operation":"A","status":200,"count":null}                                      | event/invalid_quantity
  request    | {"operation":"A","status":200,"note":"\\ud83d"}                                  | event/invalid_text
  request    | {"operation":"A","status":200,"a":{"\\u0000":1}}                                 | event/invalid_text
  request    | {"operation":"A","status":200,"a":[["\\udc00"]]}                                 | event/invalid_text
  request    | {"operation":"A","status":200,"a":"\\u0001 and \\\\u0000 are fine"}              | accepted
  processing | {"operation":"A","mode":"sync","quantities":{"call":1}}                          | accepted
  processing | {"operation":"A","mode":"sync"}                                                  | accepted
  processing | {"operation":"A","mode":"sync","outcome":"failed"}                               | accepted
  processing | {"operation":"A","mode":"async","outcome":"succeeded","quantities":{"a.b:c-d":1}} | accepted
  processing | {"operation":"A","mode":"async","quantities":{"call":1}}                         | event/invalid_data
  processing | {"operation":"A","mode":"async","outcome":"running","quantities":{"call":1}}     | event/invalid_data
  processing | {"operation":"A","mode":"batch","quantities":{"call":1}}                         | event/invalid_data
  processing | {"operation":"A","mode":"async","outcome":null}                                  | event/invalid_data
  processing | {"operation":"A","mode":"Sync","quantities":{"call":1}}                          | event/invalid_data
  processing | {"operation":"A","mode":"","quantities":{"call":1}}                              | event/invalid_data
  processing | {"operation":"A","quantities":{"call":1}}                                        | accepted
  processing | {"operation":"A","mode":null,"outcome":null,"quantities":{"call":1}}             | accepted
  processing | {"operation":"A","outcome":"running"}                                            | event/invalid_data
  processing | {"mode":"sync","quantities":{"call":1}}                                          | event/invalid_data
  processing | {"operation":"A","mode":"sync","quantities":[1]}                                 | event/invalid_data
  processing | {"operation":"A","mode":"sync","quantities":null}                                | event/invalid_data
  processing | {"operation":"A","mode":"sync","quantities":{"":1}}                              | event/invalid_data
  processing | {"operation":"A","mode":"sync","quantities":{"a b":1}}                           | event/invalid_data
  processing | {"operation":"A","mode":"sync","quantities":{"page":0.5}}                        | event/invalid_quantity
  processing | {"operation":"A","mode":"sync","quantities":{"page":"0.5"}}                      | accepted
  processing | {"operation":"A","mode":"sync","quantities":{"page":"-1"}}                       | event/invalid_quantity
  processing | {"operation":"A","mode":"sync","quantities":{"page":"many"}}                     | event/invalid_quantity
  processing | {"operation":"A","mode":"sync","quantities":{"page":null}}                       | event/invalid_quantity
  processing | {"operation":"A","mode":"sync","project":{}}                                     | event/invalid_data
  storage    | {"bytes":0}                                                                      | accepted
  storage    | {"bytes":"123456789012345678901234567890","dataset":"d","project":"p"}           | accepted
  storage    | {"bytes":"1234567890123456789012345678901"}                                      | event/invalid_quantity
  storage    | {"bytes":9007199254740992}                                                       | event/invalid_quantity
  storage    | {"bytes":"0.5"}                                                                  | event/invalid_quantity
  storage    | {"bytes":-1}                                                                     | event/invalid_quantity
  storage    | {}                                                                               | event/invalid_quantity
  storage    | {"bytes":1,"dataset":3}                                                          | event/invalid_data
  storage    | {"bytes":1,"project":3}                                                          | event/invalid_data
`)) {
  test(`${type} ${data}: ${outcome}`, () => {
    expect(outcomeOf(cloudEvent({ type: `farthing.${type}`, data: parse(data) }))).toBe(outcome)
  })
}

test('only an object is an event', () => {
  for (const raw of [null, 1, 'event', true, [cloudEvent()]]) {
    expect(outcomeOf(raw)).toBe('event/not_an_object')
  }
})

test('texts have limits in bytes, not in characters', () => {
  const limits = { id: 512, source: 512, type: 255, subject: 255 }
  for (const [attribute, max] of Object.entries(limits)) {
    for (const [text, outcome] of [
      ['x'.repeat(max), 'accepted'],
      ['x'.repeat(max + 1), 'event/too_long'],
      ['é'.repeat(Math.floor(max / 2)), 'accepted'],
      ['é'.repeat(Math.floor(max / 2) + 1), 'event/too_long'],
      ['漢'.repeat(1000), 'event/too_long'],
      ['x'.repeat(10_000), 'event/too_long'],
    ] as const) {
      expect([attribute, text.length, outcomeOf(cloudEvent({ [attribute]: text }))]).toEqual([
        attribute,
        text.length,
        outcome,
      ])
    }
  }
  for (const field of ['operation', 'project', 'region']) {
    expect(outcomeOf(cloudEvent({}, { [field]: 'x'.repeat(255) }))).toBe('accepted')
    expect(outcomeOf(cloudEvent({}, { [field]: 'x'.repeat(256) }))).toBe('event/too_long')
  }
})

test('data and extension attributes may be large, but not larger', () => {
  const around = '{"note":"","operation":"SimpleQuery","status":200}'.length
  const largest = DATA_BYTES_MAX - around
  for (const [note, outcome] of [
    ['x'.repeat(largest), 'accepted'],
    ['x'.repeat(largest + 1), 'event/too_long'],
    ['漢'.repeat(Math.ceil(largest / 3)), 'event/too_long'],
    ['漢'.repeat(Math.floor(largest / 3)), 'accepted'],
  ] as const) {
    expect(outcomeOf(cloudEvent({}, { note }))).toBe(outcome)
  }
  expect(outcomeOf(cloudEvent({ extension: 'x'.repeat(DATA_BYTES_MAX) }))).toBe('event/too_long')
})

function nested(levels: number): Json {
  return levels === 0 ? 'leaf' : [nested(levels - 1)]
}

test('data may be deep, but not deeper; extension attributes are flat', () => {
  expect(outcomeOf(cloudEvent({}, { nested: nested(DEPTH_MAX - 1) }))).toBe('accepted')
  expect(outcomeOf(cloudEvent({}, { nested: nested(DEPTH_MAX) }))).toBe('event/invalid_data')
  expect(outcomeOf(cloudEvent({ extension: nested(1) }))).toBe('event/invalid_attribute')
  const bottomless = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as Json
  expect(outcomeOf(cloudEvent({}, { bottomless }))).toBe('event/invalid_data')
})

function withUnits(count: number): Json {
  const quantities = Object.fromEntries(Array.from({ length: count }, (_, n) => [`u${n}`, 1]))
  return cloudEvent({ type: 'farthing.processing' }, { operation: 'A', mode: 'sync', quantities })
}

test('an event names at most 32 units', () => {
  expect(UNITS_MAX).toBe(32)
  expect(outcomeOf(withUnits(32))).toBe('accepted')
  expect(outcomeOf(withUnits(33))).toBe('event/invalid_data')
})

test('a key of one account sends for no other', () => {
  const own = accept(cloudEvent(), { ...ACCEPTANCE, boundAccount: 'acme' })
  const foreign = accept(cloudEvent(), { ...ACCEPTANCE, boundAccount: 'acme ' })
  expect(isRejection(own)).toBe(false)
  expect(foreign).toMatchObject({ code: 'event/foreign_account' })
})

test('the bounds of time are those that the messages name', () => {
  const [early, late] = [EARLIEST - 1, RECEIVED_AT + FUTURE_MS_MAX + 1].map((time) =>
    accept(cloudEvent({ time: formatInstant(time as Instant) }), ACCEPTANCE),
  )
  expect(early).toMatchObject({ detail: expect.stringContaining('2000-01-01') as string })
  expect(late).toMatchObject({
    detail: 'time is over 5 minutes later than now (2026-01-01T00:00:00.000Z): check the clock.',
  })
})

test('a number that JSON.parse reads as infinite is refused, wherever it stands', () => {
  const huge = JSON.parse('1e999') as number
  expect(outcomeOf(cloudEvent({}, { note: huge }))).toBe('event/invalid_data')
  expect(outcomeOf(cloudEvent({}, { note: [{ deep: -huge }] }))).toBe('event/invalid_data')
  expect(outcomeOf(cloudEvent({ extension: huge }))).toBe('event/invalid_attribute')
})

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('JSON that is sent as Base64 is read as if it had been sent as it is', () => {
  const { data, ...others } = cloudEvent()
  const plain = accept({ ...others, data: data! }, ACCEPTANCE)
  const encoded = { ...others, data_base64: base64(JSON.stringify(data)) }
  expect(accept(encoded, ACCEPTANCE)).toEqual(plain)
  expect(accept({ ...encoded, data: null }, ACCEPTANCE)).toEqual(plain)
  const typed = accept({ ...encoded, datacontenttype: 'text/vnd.x+JSON; charset=utf-8' }, ACCEPTANCE)
  expect(typed).toMatchObject({ attributes: '{"datacontenttype":"text/vnd.x+JSON; charset=utf-8"}' })
})

test('data_base64 that is not JSON is refused, and says why', () => {
  const { data: _, ...others } = cloudEvent()
  for (const [encoded, code, detail] of [
    ['e30', 'event/invalid_data', /not Base64/],
    [7, 'event/invalid_data', /not a string/],
    ['/w==', 'event/invalid_data', /not UTF-8/],
    [base64('{'), 'event/invalid_data', /not JSON/],
    [base64('[]'), 'event/invalid_data', /not a JSON object/],
    ['', 'event/invalid_data', /not JSON/],
    [base64(`"${'x'.repeat(DATA_BYTES_MAX + 3)}"`), 'event/too_long', /65536/],
  ] as const) {
    const refused = accept({ ...others, data_base64: encoded }, ACCEPTANCE)
    expect(refused).toMatchObject({ code, detail: expect.stringMatching(detail) as string })
  }
  const protobuf = { ...others, data_base64: base64('{}'), datacontenttype: 'application/protobuf' }
  expect(accept(protobuf, ACCEPTANCE)).toMatchObject({ detail: expect.stringMatching(/send JSON/) as string })
})
