import { expect, test } from 'vitest'
import { formatProblem, parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'

/** A book of one rate, with its price on line 9, column 57. */
function bookOf({
  component,
  unit,
  per,
  price,
}: Record<'component' | 'unit' | 'per' | 'price', string>): string {
  const operations = component === 'storage' ? '' : 'operations: [A]'
  const cost = { free: 'free: for now', unknown: 'price: unknown' }[price] ?? `price: "${price}"`
  return `priceBook: p
currency: USD
items:
  Thing:
    component: ${component}
    rates:
      default:
        unit: ${unit}
        prices: [{ from: "2026-01-01T00:00:00Z", ${cost} }]
        per: ${per}
        ${operations}
`
}

function saidOf(book: string): readonly string[] {
  const parsed = parsePriceBook(book, 'p.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.remarks.filter(({ code }) => code === 'price_book/costs_nothing').map(formatProblem)
}

// Guarantee: a price with which the smallest use is rounded to nothing does not pass without a word.
for (const { component, unit, per, price, said, because } of table<
  'component' | 'unit' | 'per' | 'price' | 'said' | 'because'
>(`
  component  | unit        | per      | price          | said                                                                     | because
  request    | call        | 1000     | 0.0000000001   | nothing                                                                  | 10^-13 is exact
  request    | call        | 1000000  | 0.000000000001 | nothing                                                                  | 10^-18 is exact
  request    | call        | 10000000 | 0.000000000001 | 1 call costs nothing: the smallest quantity that costs anything is 10, and from 5000000 on every one does | 10^-19
  request    | call        | 7000000  | 0.000001       | 1 call costs nothing: the smallest quantity that costs anything is 4     | 1.4 x 10^-13 never ends
  processing | millisecond | minute   | 0.0084         | nothing                                                                  | a usual price
  processing | millisecond | hour     | 0.0001         | nothing                                                                  | 2.8 x 10^-11 is rounded, and not to nothing
  processing | millisecond | hour     | 0.0000001      | 1 millisecond costs nothing: the smallest quantity that costs anything is 9, and from 18 on every one does | 2.8 x 10^-14
  processing | byte        | GiB      | 0.01           | nothing                                                                  | a usual price
  processing | byte        | GiB      | 0.0001         | 1 byte costs nothing: the smallest quantity that costs anything is 6     | 9.3 x 10^-14
  processing | page        | 3        | 0.000000000001 | 1 page costs nothing: the smallest quantity that costs anything is 2     | 3.3 x 10^-13
  processing | page        | 3        | 0              | nothing                                                                  | a price of 0 is meant
  processing | page        | 3        | free           | nothing                                                                  | free is meant
  processing | page        | 3        | unknown        | nothing                                                                  | what it will cost is not known
  storage    | byte        | GB-hour  | 0.0000315      | nothing                                                                  | a usual price: a byte costs nothing, a KB does
  storage    | byte        | TB-hour  | 0.0000315      | 1 KB for an hour may cost nothing: the smallest size that always costs something is 15874 bytes for an hour | 3.15 x 10^-17 a byte
  storage    | byte        | TiB-hour | 0.0001         | 1 KB for an hour may cost nothing: the smallest size that always costs something is 5498 bytes for an hour | 9.1 x 10^-17 a byte
`)) {
  test(`${price} for ${per} (${unit}): ${said}. ${because}`, () => {
    const [text, ...more] = saidOf(bookOf({ component, unit, per, price }))
    expect(more).toEqual([])
    if (said === 'nothing') return expect(text).toBe(undefined)
    const [what, quantity] = said.split(': ')
    const place = `p.yaml:9:57: ${what} under Thing/default from 2026-01-01T00Z on`
    const fix = 'leave it if the lines of an hour have more; else raise the price, or count larger units'
    expect(text).toBe(`${place}: ${quantity} — ${fix}`)
  })
}

test('each price of a rate is looked at, at its own place', () => {
  const book = bookOf({ component: 'request', unit: 'call', per: '7000000', price: '0.1' })
  const [later, last] = ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z']
  const changed = book.replace(
    '"0.1" }]',
    `"0.1" },\n          { from: "${later}", price: "0.000001" }, { from: "${last}", price: "0.000002" }]`,
  )
  expect(saidOf(changed).map((text) => /^p\.yaml:(\d+:\d+): .* from (\S+) on/.exec(text)?.slice(1))).toEqual([
    ['10:50', '2026-02-01T00Z'],
    ['10:103', '2026-03-01T00Z'],
  ])
})
