import { describe, expect, test } from 'vitest'
import { BOOK, bookOf, BOOK_DATA } from '../../../../test/unit/oracle-book.ts'
import { usageEvent } from '../../../../test/unit/oracle-event.ts'
import { table } from '../../../../test/table.ts'
import { readUsage } from '../../ingest/read-usage.ts'
import { isRejection } from '../../ingest/rejection.ts'
import { measure } from '../../meter/measure.ts'
import { plain } from '../../money/decimal.ts'
import type { Json } from '../../text/canonical-json.ts'
import { type Assessment, assess } from './assess.ts'

/** `item/rate billed+waived @ price` for each line; `no fee`; or why the event is held or rejected. */
function told(assessment: Assessment): string {
  if (assessment.outcome === 'held') return assessment.code
  if (assessment.outcome === 'rejected') return assessment.rejection.code
  const charges = assessment.charges.map(({ rate, term, quantity, waived }) => {
    const price = term.kind === 'price' ? plain(term.unitPrice) : term.kind
    return `${rate.item}/${rate.rate} ${plain(quantity)}+${plain(waived)} @ ${price}`
  })
  return charges.join(', ') || 'no fee'
}

// R3 to R6: request fees.
for (const { operation, status, count, told: says, because } of table<
  'operation' | 'status' | 'count' | 'told' | 'because'
>(`
  operation     | status | count | told                                                                                     | because
  SimpleQuery   | 200    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R3
  SimpleQuery   | 100    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R4: all but 5xx
  SimpleQuery   | 304    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R4
  SimpleQuery   | 400    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R4: bad parameters
  SimpleQuery   | 403    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R4: no permission
  SimpleQuery   | 499    | 1     | StandardQueryL0/default 1+0 @ 0.005                                                      | R4: the last 4xx
  SimpleQuery   | 500    | 1     | StandardQueryL0/default 0+1 @ 0.005                                                      | R5: counted and not billed
  SimpleQuery   | 599    | 1     | StandardQueryL0/default 0+1 @ 0.005                                                      | R5
  SimpleQuery   | 200    | 12    | StandardQueryL0/default 12+0 @ 0.005                                                     | aggregated by the sender
  SimpleQuery   | 503    | 12    | StandardQueryL0/default 0+12 @ 0.005                                                     |
  SimpleQuery   | 200    | 0     | StandardQueryL0/default 0+0 @ 0.005                                                      | nothing used
  SemanticQuery | 200    | 2     | SemanticUnderstanding/default 2+0 @ 0.3, StandardQueryL1/default 2+0 @ 0.01              | R3: one call, two items
  GetProject    | 200    | 1     | no fee                                                                                   | R3: known, in no item
  GetProject    | 500    | 1     | no fee                                                                                   |
  DetectImageFaces | 200 | 1     | no fee                                                                                   | R3: known by a processing item only
  Ping          | 200    | 1     | AllAnswers/default 1+0 @ 1                                                               | an item can say which statuses it bills
  Ping          | 404    | 1     | AllAnswers/default 0+1 @ 1                                                               |
  Ping          | 500    | 1     | AllAnswers/default 1+0 @ 1                                                               |
  NovelQuery    | 200    | 1     | held/unknown_operation                                                                   | R3: not known, so not free
`)) {
  test(`request ${operation} ${status} x ${count}: ${says}. ${because}`, () => {
    expect(told(assess(BOOK, usageEvent({}, { operation, status: +status, count })))).toBe(says)
  })
}

// R7, R8, R10, R13: data processing fees. The hour is the event's own.
for (const { operation, outcome, quantities, time, told: says, because } of table<
  'operation' | 'outcome' | 'quantities' | 'time' | 'told' | 'because'
>(`
  operation              | outcome   | quantities                   | time                 | told                                            | because
  DetectImageFaces       | succeeded | {"call":1}                   | 2025-07-28T02:30:00Z | ImageDetect/faces 1+0 @ 0.028                   | R7
  DetectImageFaces       | failed    | {"call":1}                   | 2025-07-28T02:30:00Z | ImageDetect/faces 0+1 @ 0.028                   | R8: a failed one is waived
  DetectImageFaces       | failed    | {}                           | 2025-07-28T02:30:00Z | ImageDetect/faces 0+0 @ 0.028                   | and needs no quantities
  DetectImageFaces       | succeeded | {}                           | 2025-07-28T02:30:00Z | event/missing_unit                              | the rate's unit must be there
  DetectImageFaces       | succeeded | {"Call":1}                   | 2025-07-28T02:30:00Z | event/missing_unit                              | by its exact name
  DetectImageFaces       | succeeded | {"call":0}                   | 2025-07-28T02:30:00Z | ImageDetect/faces 0+0 @ 0.028                   |
  DetectImageFaces       | succeeded | {"call":1,"image":9}         | 2025-07-28T02:30:00Z | ImageDetect/faces 1+0 @ 0.028                   | an unused unit has no effect
  DetectImageFaces       | succeeded | {"call":"2.5"}               | 2025-07-28T02:30:00Z | ImageDetect/faces 2.5+0 @ 0.028                 | an exact fraction
  DetectImageBodies      | succeeded | {"call":1}                   | 2025-07-28T02:59:59Z | ImageDetect/bodies 1+0 @ free                   | R10: free is listed
  DetectImageBodies      | succeeded | {"call":1}                   | 2025-07-28T03:00:00Z | ImageDetect/bodies 1+0 @ 0.028                  | R13: from 11:00+08:00 on
  CreateHighlightTask    | succeeded | {"call":1,"millisecond":90000} | 2025-07-28T02:30:00Z | Highlight/default 1+0 @ 2.5, MediaConvert/default 90000+0 @ 0.0084 | one task, two items, two units
  CreateHighlightTask    | succeeded | {"call":1}                   | 2025-07-28T02:30:00Z | event/missing_unit                              | each item needs its own unit
  CreateHighlightTask    | failed    | {"call":1}                   | 2025-07-28T02:30:00Z | Highlight/default 0+1 @ 2.5, MediaConvert/default 0+0 @ 0.0084 |
  DetectImageScore       | succeeded | {"call":1}                   | 2025-07-28T02:59:59Z | held/price_unknown                              | never billed at zero
  DetectImageScore       | failed    | {"call":1}                   | 2025-07-28T02:59:59Z | held/price_unknown                              | its line would not know its price
  DetectImageScore       | succeeded | {"call":1}                   | 2025-07-28T03:00:00Z | PriceToCome/default 1+0 @ 0.0424528             |
  DetectPartly           | succeeded | {"call":1}                   | 2025-07-28T02:59:59Z | held/price_unknown                              | one price of two is not the price
  DetectPartly           | succeeded | {"call":1}                   | 2025-07-28T03:00:00Z | PartlyPriced/default 1+0 @ 3, PriceToCome/default 1+0 @ 0.0424528 | both at once
  DetectImageFaces       | succeeded | {"call":1}                   | 2024-12-31T23:59:59Z | held/price_unknown                              | no price yet: never the first later one
  DetectLater            | succeeded | {"call":1}                   | 2025-07-28T02:59:59Z | held/price_unknown                              | listed, but not yet in force
  DetectLater            | succeeded | {"call":1}                   | 2025-07-28T03:00:00Z | StartsLater/default 1+0 @ 1                     |
  DetectBoth             | succeeded | {"call":1}                   | 2025-07-28T02:59:59Z | EndsEarlier/default 1+0 @ 2                     | an item replaced by another: the old one
  DetectBoth             | succeeded | {"call":1}                   | 2025-07-28T03:00:00Z | StartsLater/default 1+0 @ 1                     | the new one, never both
  SimpleQuery            | succeeded | {"call":1}                   | 2025-07-28T02:30:00Z | no fee                                          | known by a request item only
  GetProject             | succeeded | {}                           | 2025-07-28T02:30:00Z | no fee                                          |
  DetectNovelty          | succeeded | {"call":1}                   | 2025-07-28T02:30:00Z | held/unknown_operation                          |
`)) {
  test(`${operation} ${outcome} ${quantities} at ${time}: ${says}. ${because}`, () => {
    const data = { operation, mode: 'async', outcome, quantities: JSON.parse(quantities) as Json }
    const event = usageEvent({ type: 'farthing.processing', time }, data)
    expect(told(assess(BOOK, event))).toBe(says)
  })
}

test('an event of an unknown type is held, and the message names it', () => {
  expect(assess(BOOK, usageEvent({ type: 'com.example.novel' }))).toEqual({
    outcome: 'held',
    code: 'held/unknown_type',
    detail: 'The price book does not know the event type com.example.novel.',
  })
})

function answered(operation: string, quantities: Json): Assessment {
  return assess(BOOK, usageEvent({ type: 'farthing.processing' }, { operation, mode: 'sync', quantities }))
}

test('a message names what is missing, and where', () => {
  expect(answered('DetectImageScore', { call: 1 })).toMatchObject({
    detail: 'DetectImageScore has no known price under PriceToCome/default at 2025-07-28T02Z.',
  })
  expect(answered('RenderPage', {})).toMatchObject({
    rejection: { detail: 'data.quantities.page is missing: RenderPage/default is charged by it.' },
  })
})

test('a level is accepted without a charge: what it costs is decided for each hour in which it lasts', () => {
  const level = usageEvent({ type: 'farthing.storage' }, { bytes: 5 })
  expect(told(assess(BOOK, level))).toBe('no fee')
  expect(measure(level.usage!, 'byte')).toBeUndefined()
})

test('a request counts calls and nothing else', () => {
  expect(measure(usageEvent().usage!, 'image')).toBeUndefined()
})

test('a charge keeps the place of the usage', () => {
  const assessment = assess(BOOK, usageEvent({}, { project: 'photos', region: 'eu' }))
  expect(assessment).toMatchObject({
    charges: [{ operation: 'SimpleQuery', project: 'photos', region: 'eu' }],
  })
})

test('a price that is filled in releases what was held, at the price of its own hour', () => {
  const event = usageEvent(
    { type: 'farthing.processing' },
    { operation: 'DetectImageScore', mode: 'sync', quantities: { call: 1 } },
  )
  const { PriceToCome, ...others } = BOOK_DATA.items
  const [unknown, known] = PriceToCome.rates.default.prices as [{ from: string }, Json]
  const prices = [{ from: unknown.from, price: '0.01' }, known]
  const filled = { ...PriceToCome, rates: { default: { ...PriceToCome.rates.default, prices } } }
  const book = bookOf({ ...BOOK_DATA, items: { ...others, PriceToCome: filled } })
  expect(told(assess(BOOK, event))).toBe('held/price_unknown')
  expect(told(assess(book, event))).toBe('PriceToCome/default 1+0 @ 0.01')
})

describe('a unit that is missing: who can put it right', () => {
  const eventTypes = {
    mapped: { component: 'processing', operation: 'RenderPage', quantities: { pages: 'n' } },
    open: { component: 'processing', quantities: { call: 1 } },
    plain: { component: 'processing', operation: 'RenderPage' },
  } as const
  const book = bookOf({ ...BOOK_DATA, eventTypes })
  const told = (type: string, data: { readonly [key: string]: Json }) => {
    const usage = readUsage(book.eventTypes.get(type)!, data)
    if (isRejection(usage)) throw new Error(usage.detail)
    const assessment = assess(book, { usage, type, hour: usageEvent().hour })
    if (assessment.outcome === 'accepted') return `${assessment.charges.length} charges`
    return assessment.outcome === 'held' ? assessment.code : assessment.rejection.code
  }

  test('the price book, which says where the quantities are: held', () => {
    expect(told('mapped', { n: 3 })).toBe('held/unmapped_unit')
    expect(told('mapped', { n: 0, page: 3, quantities: { page: 3 } })).toBe('held/unmapped_unit')
    expect(told('open', { operation: 'CreateHighlightTask' })).toBe('held/unmapped_unit')
    expect(told('open', { operation: 'DetectImageFaces' })).toBe('1 charges')
    expect(told('open', { operation: 'GetProject' })).toBe('0 charges')
    expect(told('open', { operation: 'Unheard' })).toBe('held/unknown_operation')
  })

  test('the sender, who gives the quantities: rejected', () => {
    expect(told('plain', { n: 3 })).toBe('event/missing_unit')
    expect(told('plain', { quantities: { pages: 3 } })).toBe('event/missing_unit')
    expect(told('farthing.processing', { operation: 'RenderPage' })).toBe('event/missing_unit')
    expect(told('plain', { outcome: 'failed' })).toBe('1 charges')
  })
})
