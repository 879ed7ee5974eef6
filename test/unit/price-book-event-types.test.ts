import { expect, test } from 'vitest'
import { formatProblem, parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { readPriceBook } from '../../src/core/rate/price-book/parse/read-price-book.ts'

const FROM = '2026-01-01T00:00:00Z'
const [SPRING, SUMMER] = ['2026-03-01T00:00:00Z', '2026-06-01T00:00:00Z']

type Parts = { readonly [key: string]: Json }

function rate(operations: string, unit: string, more: Parts = {}): Parts {
  return { operations: operations.split(' '), unit, per: 1, prices: [{ from: FROM, price: '1' }], ...more }
}
const from = (start: string): Parts => ({ prices: [{ from: start, price: '1' }] })
const work = (...rates: readonly Parts[]): Parts =>
  Object.fromEntries(
    rates.map((one, index) => [`Item${index + 1}`, { component: 'processing', rates: { default: one } }]),
  )

/** What is said of a book of one event type, without its lines: the value of `prompt`, on line 1 and in JSON. */
function saidOf(type: Parts, items: Parts, operations?: readonly string[]): readonly string[] {
  const eventTypes = { prompt: { component: 'processing', ...type } }
  const book = { priceBook: 'p', currency: 'EUR', ...(operations ? { operations } : {}), eventTypes, items }
  const parsed = parsePriceBook(JSON.stringify(book), 'p')
  // A published version is read as it is: it stays in force, and its events are held.
  expect(readPriceBook(book).ok).toBe(true)
  const findings = parsed.ok ? parsed.remarks : parsed.problems
  return findings.map((found) => {
    const text = formatProblem(found).replace(/^p:1:\d+: /, '')
    return `${parsed.ok ? 'fine' : 'refused'}, ${found.code.replace('price_book/', '')} at ${found.path.slice(2).join('.')}: ${text}`
  })
}

const TOKENS = work(rate('Prompt Chat', 'token'))
const prompt = (quantities: Parts): Parts => ({ operation: 'Prompt', quantities })

const CASES: Readonly<Record<string, readonly [said: readonly string[], ...expected: string[]]>> = {
  'a misspelt unit': [
    saidOf(prompt({ tokenz: 'tokens' }), TOKENS),
    'refused, missing_quantity at quantities.tokenz: eventTypes.prompt.quantities has the unit "tokenz", and Item1/default charges Prompt by token — write token, or correct the unit of Item1/default',
  ],
  'a misspelt unit of the rate': [
    saidOf(prompt({ token: 'tokens' }), work(rate('Prompt', 'tokne'))),
    'refused, missing_quantity at quantities.token: eventTypes.prompt.quantities has the unit "token", and Item1/default charges Prompt by tokne — write tokne, or correct the unit of Item1/default',
  ],
  'another unit': [
    saidOf(prompt({ image: 'pictures' }), TOKENS),
    'refused, missing_quantity at quantities: eventTypes.prompt.quantities has no token, by which Item1/default charges Prompt — add token: with the name of the field of data that has it',
  ],
  'one unit of two': [
    saidOf(prompt({ token: 'tokens' }), work(rate('Prompt', 'token'), rate('Prompt', 'call'))),
    'refused, missing_quantity at quantities: eventTypes.prompt.quantities has no call, by which Item2/default charges Prompt — add call: with the name of the field of data that has it',
  ],
  'two misspelt units': [
    saidOf(
      prompt({ tokens: 'tokens', calls: 1 }),
      work(rate('Prompt', 'token', { until: SUMMER }), rate('Prompt', 'call')),
    ),
    'refused, missing_quantity at quantities.calls: eventTypes.prompt.quantities has the unit "calls", and Item2/default charges Prompt by call — write call, or correct the unit of Item2/default',
  ],
  'a unit that only another operation is charged by': [
    saidOf(prompt({ call: 1 }), work(rate('Prompt', 'token'), rate('Chat', 'call'))),
    'refused, missing_quantity at quantities: eventTypes.prompt.quantities has no token, by which Item1/default charges Prompt — add token: with the name of the field of data that has it',
  ],
  'a misspelt unit where the data names the operation': [
    saidOf({ quantities: { tokenz: 'tokens' } }, TOKENS),
    'refused, missing_quantity at quantities.tokenz: eventTypes.prompt.quantities has the unit "tokenz", and Item1/default charges Prompt by token — write token, or correct the unit of Item1/default',
  ],
  'a misspelt unit of a price that is unknown or free': [
    saidOf(
      prompt({ tokenz: 'tokens' }),
      work(
        rate('Prompt', 'token', {
          prices: [
            { from: FROM, price: 'unknown' },
            { from: SPRING, free: 'for now' },
          ],
        }),
      ),
    ).slice(0, 1),
    'refused, missing_quantity at quantities.tokenz: eventTypes.prompt.quantities has the unit "tokenz", and Item1/default charges Prompt by token — write token, or correct the unit of Item1/default',
  ],
  'a misspelt unit of an operation that is listed as free too': [
    saidOf(prompt({ tokenz: 'tokens' }), TOKENS, ['Prompt']).slice(0, 1),
    'refused, missing_quantity at quantities.tokenz: eventTypes.prompt.quantities has the unit "tokenz", and Item1/default charges Prompt by token — write token, or correct the unit of Item1/default',
  ],
  'a unit that a later rate needs': [
    saidOf(
      prompt({ token: 'tokens' }),
      work(rate('Prompt', 'token', { until: SUMMER }), rate('Prompt', 'page', from(SUMMER))),
    ),
    'fine, quantity_missing_later at quantities: From 2026-06-01T00:00:00Z on, Item2/default charges Prompt by page, which eventTypes.prompt.quantities does not have: its events will be held — add page, or send the usage from then on as a type that has it',
  ],
  'a unit of before': [
    saidOf(
      prompt({ token: 'tokens' }),
      work(rate('Prompt', 'page', { until: SPRING }), rate('Prompt', 'token', from(SPRING))),
    ),
  ],
  'a unit beside the one that is charged': [
    saidOf(prompt({ token: 'tokens', tokn: 'others' }), TOKENS),
    'fine, unused_quantity at quantities.tokn: eventTypes.prompt.quantities has the unit "tokn", by which no rate charges Prompt — write token if that is meant',
  ],
  'units of which one fits an operation that the data may name': [
    saidOf(
      { quantities: { tokenz: 'tokens', call: 1 } },
      work(rate('Prompt', 'token'), rate('Chat', 'call')),
    ),
    'fine, unused_quantity at quantities.tokenz: eventTypes.prompt.quantities has the unit "tokenz", by which no rate charges any operation — write token if that is meant',
  ],
  'an operation that is charged for requests only': [
    saidOf(prompt({ token: 'tokens' }), {
      Calls: { component: 'request', rates: { default: rate('Prompt', 'call') } },
    }),
    'fine, type_without_fee at component: The event type prompt is processing usage of Prompt, which is charged for requests only: its events have no fee — write component: request, or list Prompt under a processing item',
  ],
  'an operation without a fee': [saidOf(prompt({ token: 'tokens' }), work(rate('Chat', 'call')), ['Prompt'])],
  'an operation that is charged for processing only': [
    saidOf({ component: 'request', operation: 'Prompt' }, TOKENS),
    'fine, type_without_fee at component: The event type prompt is request usage of Prompt, which is charged for processing only: its events have no fee — write component: processing, or list Prompt under a request item',
  ],
  'a type whose sender gives the quantities': [saidOf({ operation: 'Prompt' }, TOKENS)],
  'all that is charged': [saidOf(prompt({ token: 'tokens' }), TOKENS)],
}

for (const [what, [said, ...expected]] of Object.entries(CASES)) {
  const outcome = expected[0]?.startsWith('refused') ? 'is refused' : 'passes'
  test(`a book with an event type that has ${what} ${outcome}`, () => {
    expect(said).toEqual(expected)
  })
}

test('a problem of quantities stands at the unit, or at the key quantities', () => {
  const book = (quantities: string) => `priceBook: p
currency: EUR
eventTypes:
  prompt:
    component: processing
    operation: Prompt
    quantities:
      ${quantities}: 1
items: ${JSON.stringify(TOKENS)}
`
  const at = (text: string) => {
    const parsed = parsePriceBook(text, 'p.yaml')
    return parsed.ok ? [] : parsed.problems.map(({ place }) => [place.line, place.column])
  }
  expect(at(book('tokenz'))).toEqual([[8, 7]])
  expect(at(book('call'))).toEqual([[7, 5]])
})
