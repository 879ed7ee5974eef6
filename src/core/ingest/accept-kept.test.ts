import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ACCEPTANCE, acceptedOf, cloudEvent, usageEvent } from '../../../test/unit/oracle-event.ts'
import { decimal, plain } from '../money/decimal.ts'
import { canonicalJson, type Json } from '../text/canonical-json.ts'
import { parseHour } from '../time/hour.ts'
import { sameContent } from './event.ts'
import { accept } from './accept.ts'
import { isRejection } from './rejection.ts'
import { reread } from './reread.ts'
import type { Usage } from './usage.ts'

test('an accepted event says who, what, when and what was used', () => {
  const event = usageEvent({ time: '2025-07-28T11:59:59.9999+08:00' }, { project: 'photos', count: 3 })
  expect(event).toEqual({
    account: 'acme',
    source: '/api',
    id: 'e-1',
    type: 'farthing.request',
    at: Date.parse('2025-07-28T03:59:59.999Z'),
    hour: parseHour('2025-07-28T03Z'),
    data: '{"count":3,"operation":"SimpleQuery","project":"photos","status":200}',
    attributes: null,
    usage: {
      component: 'request',
      operation: 'SimpleQuery',
      project: 'photos',
      region: null,
      status: 200,
      count: decimal('3'),
    },
  })
})

test('one call is the count of a request that names none', () => {
  expect(usageEvent().usage).toMatchObject({ count: decimal('1') })
})

test('an absent project, region or dataset and an empty one are the same: none', () => {
  for (const project of [undefined, null, '']) {
    expect(usageEvent({}, { project, region: project }).usage).toMatchObject({ project: null, region: null })
    const level = usageEvent({ type: 'farthing.storage' }, { dataset: project, bytes: 1 })
    expect(level.usage).toMatchObject({ dataset: null })
  }
})

function succeeded(data: { mode?: string | null; outcome?: string | null }): boolean {
  const { usage } = usageEvent({ type: 'farthing.processing' }, { operation: 'A', ...data })
  return usage?.component === 'processing' && usage.succeeded
}

test('an operator that answered has succeeded, unless it says otherwise', () => {
  expect(succeeded({ mode: 'sync' })).toBe(true)
  expect(succeeded({ mode: 'sync', outcome: 'succeeded' })).toBe(true)
  expect(succeeded({ mode: 'sync', outcome: 'failed' })).toBe(false)
  expect(succeeded({ mode: 'async', outcome: 'succeeded' })).toBe(true)
  expect(succeeded({ mode: 'async', outcome: 'failed' })).toBe(false)
  for (const mode of [{}, { mode: null }]) {
    expect(succeeded(mode)).toBe(true)
    expect(succeeded({ ...mode, outcome: null })).toBe(true)
    expect(succeeded({ ...mode, outcome: 'succeeded' })).toBe(true)
    expect(succeeded({ ...mode, outcome: 'failed' })).toBe(false)
  }
})

test('a mode that is left out and mode sync are charged alike, and are different contents', () => {
  const data = { operation: 'A', quantities: { call: 1 } }
  const [without, sync] = [data, { ...data, mode: 'sync' }].map((one) =>
    usageEvent({ type: 'farthing.processing' }, one),
  )
  expect(without!.usage).toEqual(sync!.usage)
  expect(sameContent(without!, sync!)).toBe(false)
})

test('a level says what is stored where', () => {
  const { usage } = usageEvent({ type: 'farthing.storage' }, { project: 'p', dataset: 'd', bytes: '10' })
  expect(usage).toEqual({
    component: 'storage',
    project: 'p',
    dataset: 'd',
    region: null,
    bytes: decimal('10'),
  })
})

test('a declared type is read as its component, for its operation', () => {
  const { usage } = usageEvent({ type: 'com.example.render' }, { mode: 'sync', quantities: { page: '2.5' } })
  expect(usage).toMatchObject({ component: 'processing', operation: 'RenderPage', succeeded: true })
  expect(usage?.component === 'processing' && plain(usage.quantities.get('page')!)).toBe('2.5')
  const named = usageEvent({ type: 'com.example.render' }, { operation: 'Other', mode: 'sync' })
  expect(named.usage).toMatchObject({ operation: 'Other' })
  expect(usageEvent({ type: 'com.example.level' }, { bytes: 1 }).usage).toMatchObject({
    component: 'storage',
  })
})

test('an event of an unknown type is kept whole, without a meaning', () => {
  const event = usageEvent({ type: 'com.example.novel' }, { anything: [1] })
  expect(event).toMatchObject({ usage: undefined, data: '{"anything":[1]}' })
})

test('an attribute that is null is absent', () => {
  expect(usageEvent({ traceparent: null, dataschema: null }).attributes).toBeNull()
  expect(usageEvent({ traceparent: null, sampled: false }).attributes).toBe('{"sampled":false}')
})

test('unknown fields and extension attributes are kept as sent', () => {
  const event = usageEvent({ traceparent: '00-4bf9', dataschema: 'x:y', retries: 2 }, { colour: 'blue' })
  expect(event.data).toBe('{"colour":"blue","operation":"SimpleQuery","status":200}')
  expect(event.attributes).toBe('{"dataschema":"x:y","retries":2,"traceparent":"00-4bf9"}')
})

test('keys of JavaScript itself are data like any other, and change nothing', () => {
  const json = `{"specversion":"1.0","id":"e-1","source":"/api","type":"farthing.processing","subject":"acme",
    "time":"2025-07-28T02:30:00Z","constructor":"c",
    "data":{"operation":"A","mode":"sync","__proto__":{"project":"evil"},"toString":1,
      "quantities":{"__proto__":2,"constructor":3}}}`
  const event = acceptedOf(JSON.parse(json) as Json)
  expect(event.id).toBe('e-1')
  expect(event.attributes).toBe('{"constructor":"c"}')
  expect(event.data).toContain('"__proto__":{"project":"evil"}')
  expect(event.usage).toMatchObject({ project: null })
  const quantities = event.usage?.component === 'processing' ? [...event.usage.quantities] : []
  expect(quantities.map(([unit, quantity]) => [unit, plain(quantity)])).toEqual([
    ['__proto__', '2'],
    ['constructor', '3'],
  ])
  expect(({} as { project?: unknown }).project).toBeUndefined()
})

test('attributes that are missing are not found on the prototype', () => {
  const raw = JSON.parse('{"specversion":"1.0","__proto__":{"id":"x"}}') as Json
  expect(accept(raw, ACCEPTANCE)).toMatchObject({ code: 'event/missing_attribute' })
})

// Guarantee: no event can throw, and what is accepted can be stored and is read again the same.
test('any JSON is accepted or refused with a reason, and re-reading an accepted event changes nothing', () => {
  const stringUnit = fc.oneof(
    { arbitrary: fc.constantFrom('a', 'é', '漢', '🧾', '"', '\\', '\n'), weight: 60 },
    { arbitrary: fc.constantFrom('\u0000', '\ud83d', '\udc00'), weight: 1 },
  )
  const wild = fc.jsonValue({ maxDepth: 2, stringUnit })
  const mostly = (...values: readonly Json[]) =>
    fc.oneof({ arbitrary: fc.constantFrom(...values), weight: 9 }, { arbitrary: wild, weight: 1 })
  const anyData = fc.record({
    operation: mostly('SimpleQuery', 'Novel'),
    status: mostly(200, 503),
    count: mostly(1, '12345678901234567890'),
    mode: mostly('sync', 'async'),
    outcome: mostly('succeeded', 'failed'),
    quantities: mostly({}, { call: 1 }, { page: '0.5' }),
    bytes: mostly(0, '123'),
    project: mostly('p', null, ''),
    extra: wild,
  })
  const anyType = fc.constantFrom('farthing.request', 'farthing.processing', 'farthing.storage', 'novel')
  fc.assert(
    fc.property(anyType, mostly('e-1'), anyData, wild, (type, id, data, extension) => {
      const event = accept(cloudEvent({ type, id, data: data as Json, extension } as never), ACCEPTANCE)
      if (isRejection(event)) {
        expect(event.detail).toMatch(/^.+: .+\.$/s)
        return
      }
      expect(Buffer.from(event.data + event.attributes).toString()).toBe(event.data + event.attributes)
      expect(canonicalJson(JSON.parse(event.data) as Json)).toBe(event.data)
      expect(reread(ACCEPTANCE.eventTypes, event.type, event.data)).toEqual(event.usage)
    }),
  )
})

test('an event of a type that was made known later is read then, if its data fits', () => {
  const types = ACCEPTANCE.eventTypes
  const novel = usageEvent({ type: 'novel' }, { bytes: 5 })
  expect(reread(types, novel.type, novel.data)).toBeUndefined()
  const later = new Map(types).set('novel', { component: 'storage', operation: undefined })
  expect(reread(later, novel.type, novel.data)).toMatchObject({
    bytes: decimal('5'),
  } satisfies Partial<Usage>)
  expect(reread(later, novel.type, '{"bytes":-5}')).toBeUndefined()
})

test('stored data that is no object is a bug', () => {
  expect(() => reread(ACCEPTANCE.eventTypes, 'farthing.request', '[]')).toThrow(/is an object/)
})
