import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { MINOR_UNITS } from '../../src/core/money/currency.ts'
import { plain } from '../../src/core/money/decimal.ts'
import { COMPONENTS, type Component } from '../../src/core/rate/price-book/price-book.ts'
import { readPriceBook } from '../../src/core/rate/price-book/parse/read-price-book.ts'
import { canonicalJson, type Json } from '../../src/core/text/canonical-json.ts'
import { formatProblem, parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'

const anyName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/),
  // Texts that YAML or JavaScript would like to read as something else.
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '1',
    '0x1F',
    '1e3',
    '.inf',
    '-',
    '---',
    ':',
    'y',
  ),
)
const anyPrice = fc
  .tuple(fc.bigInt(0n, 10n ** 30n - 1n), fc.stringMatching(/^(\.\d{1,12})?$/))
  .map(([whole, fraction]) => `${whole}${fraction}`)
const anyReason = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && /\P{Z}/u.test(text))
const anyCost = fc.oneof(
  anyPrice.map((price) => ({ price })),
  anyPrice.map((price) => ({ price, illustrative: true })),
  anyReason.map((free) => ({ free })),
  fc.constant({ price: 'unknown' }),
)

/** An hour after 1970 in one of the ways to write it. */
function formatAny(hour: number, way: number): string {
  const offset = [0, 8, -5, 14][way % 4]!
  const local = new Date((hour + offset) * 3_600_000).toISOString()
  if (offset === 0) return way % 2 === 0 ? local : local.replace('.000Z', 'z')
  const sign = offset < 0 ? '-' : '+'
  return local.replace('.000Z', `${sign}${String(Math.abs(offset)).padStart(2, '0')}:00`)
}

/** Terms in ascending order, and perhaps an end after the last. */
const anyPrices = fc
  .tuple(
    fc.integer({ min: 24, max: 1_000_000 }),
    fc.array(fc.tuple(fc.integer({ min: 1, max: 50_000 }), fc.nat(7), anyCost), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.option(fc.integer({ min: 1, max: 50_000 }), { nil: undefined }),
  )
  .map(([start, steps, end]) => {
    let hour = start
    const prices = steps.map(([step, way, cost]) => ({ from: formatAny((hour += step), way), ...cost }))
    return end === undefined ? { prices } : { prices, until: formatAny(hour + end, 1) }
  })

const sizes = ['KB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB']
const anyCount = fc.oneof(
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc.bigInt(1n, 10n ** 30n - 1n).map(String),
)
const anyUnit = fc.oneof(
  fc.record({ unit: fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/), per: anyCount }),
  fc.record({ unit: fc.constant('millisecond'), per: fc.constantFrom('second', 'minute', 'hour') }),
  fc.record({ unit: fc.constant('byte'), per: fc.constantFrom(...sizes) }),
)
const anyOperations = fc.uniqueArray(anyName, { minLength: 1, maxLength: 6 })
const anyStatuses = fc.uniqueArray(fc.constantFrom('1xx', '2xx', '3xx', '4xx', '5xx'), { minLength: 1 })

function rateOf(component: Component): fc.Arbitrary<Record<string, Json>> {
  const operations = anyOperations.map((names) => ({ operations: names }))
  const parts: Record<Component, fc.Arbitrary<object>[]> = {
    request: [
      operations,
      anyCount.map((per) => ({ unit: 'call', per })),
      fc.option(anyStatuses).map((billedStatuses) => (billedStatuses ? { billedStatuses } : {})),
    ],
    processing: [operations, anyUnit],
    storage: [fc.constantFrom(...sizes).map((size) => ({ unit: 'byte', per: `${size}-hour` }))],
  }
  return fc
    .tuple(anyPrices, ...parts[component])
    .map((found) => Object.assign({}, ...found) as Record<string, Json>)
}

/** No operation twice in an item: the later rate loses it, and rates that lost all are left out. */
function distinct(rates: readonly (readonly [string, Record<string, Json>])[]): Record<string, Json> {
  const seen = new Set<Json>()
  const kept = rates.map(([name, rate]) => {
    if (!Array.isArray(rate['operations'])) return [name, rate] as const
    const operations = rate['operations'].filter((operation: Json) => !seen.has(operation))
    operations.forEach((operation: Json) => seen.add(operation))
    return [name, { ...rate, operations }] as const
  })
  return Object.fromEntries(
    kept.filter(([, { operations }]) => !Array.isArray(operations) || operations.length > 0),
  )
}

const byFirst = { selector: ([name]: readonly [string, unknown]) => name, minLength: 1, maxLength: 4 }
const anyItem = fc
  .constantFrom(...COMPONENTS)
  .chain((component) =>
    fc
      .uniqueArray(fc.tuple(anyName, rateOf(component)), byFirst)
      .map((rates) => ({ component, rates: distinct(rates) })),
  )

/** The plain data of any valid price book. */
const anyBook: fc.Arbitrary<Json> = fc
  .record({
    priceBook: anyName,
    currency: fc.constantFrom(...MINOR_UNITS.keys()),
    operations: fc.option(anyOperations, { nil: undefined }),
    items: fc.uniqueArray(fc.tuple(anyName, anyItem), byFirst).map((items) => Object.fromEntries(items)),
  })
  .map(({ operations, ...book }) => (operations ? { ...book, operations } : book) as Json)

// Guarantee: what is stored of a published book is the book, however its author wrote it down.
test('any valid book survives text, book, canonical text, book', () => {
  fc.assert(
    fc.property(anyBook, fc.boolean(), fc.boolean(), (data, asYaml, isFlow) => {
      const yaml = stringify(data, {
        defaultStringType: 'QUOTE_DOUBLE',
        defaultKeyType: 'QUOTE_DOUBLE',
        collectionStyle: isFlow ? 'flow' : 'any',
        aliasDuplicateObjects: false,
      })
      const first = parsePriceBook(asYaml ? yaml : JSON.stringify(data), 'first')
      if (!first.ok) throw new Error(first.problems.map(formatProblem).join('\n'))
      const second = parsePriceBook(first.canonical, 'second')
      expect(second).toMatchObject({ ok: true, book: first.book, canonical: first.canonical })
      expect(first.canonical).toBe(canonicalJson(data))
      expect(readPriceBook(data)).toMatchObject({ ok: true, book: first.book })
    }),
    { numRuns: 100 },
  )
})

// Guarantee: a price is the digits that were written, to the last of 30 before and 12 after the point.
test('a price is read digit for digit', () => {
  fc.assert(
    fc.property(anyPrice, (price) => {
      const prices = [{ from: '2026-01-01T00:00:00Z', price }]
      const items = { A: { component: 'storage', rates: { b: { unit: 'byte', per: 'GB-hour', prices } } } }
      const read = readPriceBook({ priceBook: 'p', currency: 'USD', items })
      const term = read.ok ? read.book.rates[0]!.terms[0]! : undefined
      const text = price.includes('.') ? price.replace(/\.?0+$/, '') : price
      expect(term?.kind === 'price' && plain(term.unitPrice)).toBe(text)
    }),
  )
})

// Guarantee: whatever somebody sends, the answer is a book or problems, never an exception.
test('reading any plain data never throws, and says why it is no book', () => {
  const anyKey = fc.oneof(
    anyName,
    fc.string(),
    fc.constantFrom('items', 'rates', 'prices', 'component', 'operations'),
  )
  const { anything } = fc.letrec<{ anything: Json }>((tie) => ({
    anything: fc.oneof(
      { depthSize: 'small' },
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie('anything')),
      fc.array(fc.tuple(anyKey, tie('anything'))).map((entries) => Object.fromEntries(entries) as Json),
    ),
  }))
  fc.assert(
    fc.property(anything, (data) => {
      const read = readPriceBook(data)
      expect(read.ok ? 0 : read.problems.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})
