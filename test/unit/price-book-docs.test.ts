import { HEADING_BYTES_MAX } from '../../src/core/rate/price-book/parse/read-headings.ts'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { NAME_BYTES_MAX, TYPE_BYTES_MAX } from '../../src/core/ingest/read-text.ts'
import { FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX } from '../../src/core/money/decimal.ts'
import {
  EVENT_TYPES_MAX,
  TYPE_QUANTITIES_MAX,
} from '../../src/core/rate/price-book/parse/read-event-types.ts'
import { PAST_CHANGE_CODES, type PastChangeCode } from '../../src/core/rate/price-book/compare/past-change.ts'
import { comparePriceBooks } from '../../src/core/rate/price-book/compare/compare-price-books.ts'
import {
  PRICE_BOOK_PROBLEM_CODES,
  PRICE_BOOK_REMARK_CODES,
  PROBLEMS_MAX,
} from '../../src/core/rate/price-book/parse/problem.ts'
import { OPERATIONS_PER_RATE_MAX } from '../../src/core/rate/price-book/parse/read-rate.ts'
import { PRICES_PER_RATE_MAX, REASON_MAX } from '../../src/core/rate/price-book/parse/read-terms.ts'
import { TIERS_PER_PRICE_MAX } from '../../src/core/rate/price-book/parse/read-tiers.ts'
import {
  FREE_OPERATIONS_MAX,
  ITEMS_MAX,
  RATES_PER_ITEM_MAX,
} from '../../src/core/rate/price-book/parse/read-price-book.ts'
import { parse } from 'yaml'
import { parseHour } from '../../src/core/time/hour.ts'
import { DEPTH_MAX, INDENT_MAX, TOKENS_MAX } from '../../src/flows/prices/parse-price-book-scan.ts'
import { formatProblem, parsePriceBook, TEXT_BYTES_MAX } from '../../src/flows/prices/parse-price-book.ts'
import { SAMPLE, sampleWith } from './price-book-sample.ts'

const FURTHER_ITEM = `  Ink:
    component: processing
    rates:
      default: { operations: [RenderPage], unit: drop, per: 1, prices: [{ from: "2026-06-01T00:00:00Z", price: "1" }] }
`

function typeWith(quantities: string, further = ''): string {
  const type = `com.acme.render: { component: processing, operation: RenderPage, quantities: ${quantities} }`
  return sampleWith('5', type) + further
}

/** A text for each code: the page shows what is said about it. */
const EXAMPLES: Record<string, string | Uint8Array> = {
  too_large: `${SAMPLE}#${' '.repeat(TEXT_BYTES_MAX)}`,
  not_utf8: Buffer.from(SAMPLE.replace('in winter', 'in w\u00efnter'), 'latin1'),
  yaml_syntax: sampleWith('2', 'currency: "EUR'),
  yaml_documents: `${SAMPLE}---\npriceBook: second\n`,
  yaml_directive: `%YAML 1.1\n---\n${SAMPLE}`,
  yaml_alias: sampleWith('13', 'per: *thousand'),
  yaml_tag: sampleWith('13', 'per: !!str 1000'),
  yaml_merge_key: sampleWith('13', '<<: { per: 1000 }'),
  yaml_duplicate_key: sampleWith('13', 'per: 1000 ⏎ per: 100'),
  yaml_key_not_text: sampleWith('7', '404:'),
  yaml_inexact_number: sampleWith('13', 'per: 1000.00000000000000000001'),
  too_deep: sampleWith('3', `operations: ${'['.repeat(20)}`),
  wrong_type: sampleWith('3', 'operations: GetStatus'),
  unknown_key: sampleWith('14', 'billedStates: [2xx, 4xx]'),
  missing_key: sampleWith('12', '# no unit'),
  empty: sampleWith('11', 'operations: []'),
  too_many: sampleWith(
    '3',
    `operations: [${Array.from({ length: FREE_OPERATIONS_MAX + 1 }, (_, at) => `A${at}`).join()}]`,
  ),
  not_a_name: sampleWith('7', 'API calls:'),
  duplicate: sampleWith('11', 'operations: [GetReport, GetReport]'),
  not_allowed_here: sampleWith(
    '17',
    '- { from: "2026-02-01T00:00:00Z", free: in winter, illustrative: true }',
  ),
  unknown_currency: sampleWith('2', 'currency: euro'),
  unknown_component: sampleWith('8', 'component: requests'),
  reserved_event_type: sampleWith('5', 'farthing.request: { component: request }'),
  unknown_operation: sampleWith('5', 'com.acme.render: { component: processing, operation: RenderPages }'),
  operation_in_two_rates: SAMPLE.replace('[RenderFilm]', '[RenderFilm, RenderPage]'),
  wrong_unit: sampleWith('12', 'unit: page'),
  wrong_per: SAMPLE.replace('unit: millisecond, per: minute', 'unit: call, per: minute'),
  not_a_status: sampleWith('14', 'billedStatuses: [200]'),
  price_not_quoted: sampleWith('16', '- { from: "2026-01-01T00:00:00Z", price: 0.50 }'),
  not_a_price: sampleWith('16', '- { from: "2026-01-01T00:00:00Z", price: "0,50" }'),
  price_or_free: sampleWith('16', '- { from: "2026-01-01T00:00:00Z" }'),
  not_a_tier: sampleWith('16', '- { from: "2026-01-01T00:00:00Z", tiers: [{ price: "0.5" }] }'),
  tier_not_ascending: sampleWith(
    '16',
    '- { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { upTo: "4", price: "2" }, { price: "3" }] }',
  ),
  tiers_after_unknown: sampleWith(
    '16',
    '- { from: "2026-01-01T00:00:00Z", price: unknown } ⏎ - { from: "2026-01-02T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { price: "3" }] }',
  ),
  not_a_reason: sampleWith('17', '- { from: "2026-02-01T00:00:00Z", free: true }'),
  not_a_time: sampleWith('17', '- { from: "2026-02-01", free: in winter }'),
  not_on_the_hour: sampleWith('17', '- { from: "2026-02-01T00:00:00+05:30", free: in winter }'),
  not_ascending: sampleWith('17', '- { from: "2026-01-01T00:00:00Z", free: in winter }'),
  missing_quantity: typeWith('{ pages: sheets }'),
  illustrative_prices: SAMPLE,
  unknown_price: SAMPLE,
  costs_nothing: SAMPLE.replace('price: "0.1"', 'price: "0.00000001"'),
  fee_for_free_operation: sampleWith('3', 'operations: [GetReport]'),
  unused_quantity: typeWith('{ page: sheets, image: pictures }'),
  quantity_missing_later: typeWith('{ page: sheets }', FURTHER_ITEM),
  type_without_fee: sampleWith('5', 'com.acme.render: { component: request, operation: RenderPage }'),
  several_units: SAMPLE + FURTHER_ITEM,
  processing_only: SAMPLE,
}

/** What the second version of the sample would say, after the hour below has begun. */
const PAST_CHANGES: Record<string, string> = {
  changed_currency: sampleWith('2', 'currency: USD'),
  changed_event_type: sampleWith('5', 'com.acme.render: { component: request, operation: RenderPage }'),
  changed_mapping: SAMPLE.replace('[RenderFilm]', '[RenderShow]'),
  changed_unit: sampleWith('13', 'per: 100'),
  changed_statuses: sampleWith('14', 'billedStatuses: [2xx]'),
  changed_price: sampleWith('16', '- { from: "2026-01-01T00:00:00Z", price: "0.60" }'),
}
const OPEN = parseHour('2026-02-14T09Z')!

const LIMITS: Record<string, number> = {
  'bytes of the text': TEXT_BYTES_MAX,
  'words and signs of the text': TOKENS_MAX,
  'levels on one line': DEPTH_MAX,
  'spaces before a line': INDENT_MAX,
  'problems that are reported': PROBLEMS_MAX,
  items: ITEMS_MAX,
  'bytes of a heading': HEADING_BYTES_MAX,
  'rates of an item': RATES_PER_ITEM_MAX,
  'operations of a rate': OPERATIONS_PER_RATE_MAX,
  'operations without a fee': FREE_OPERATIONS_MAX,
  'prices of a rate': PRICES_PER_RATE_MAX,
  'tiers of a price': TIERS_PER_PRICE_MAX,
  'event types': EVENT_TYPES_MAX,
  'quantities of an event type': TYPE_QUANTITIES_MAX,
  'characters of a name': 128,
  'characters of a unit': 64,
  'bytes of an operation': NAME_BYTES_MAX,
  'bytes of an event type': TYPE_BYTES_MAX,
  'characters of a reason after free': REASON_MAX,
  'digits of a price before the point': INTEGER_DIGITS_MAX,
  'digits of a price after the point': FRACTION_DIGITS_MAX,
}

function saidAbout(code: string): string {
  const parsed = parsePriceBook(EXAMPLES[code.replace('price_book/', '')] ?? '', 'acme.yaml')
  const finding = (parsed.ok ? parsed.remarks : parsed.problems).find((found) => found.code === code)
  return finding ? formatProblem(finding) : 'no example'
}

function saidAboutPast(code: PastChangeCode): string {
  const [old, next] = [SAMPLE, PAST_CHANGES[code.replace('price_book/', '')] ?? ''].map((text) =>
    parsePriceBook(text, 'acme.yaml'),
  )
  if (!old?.ok || !next?.ok) return 'no example'
  const found = comparePriceBooks(old.book, next.book, OPEN, new Set(['com.acme.render']))
  expect(found.map((change) => change.code)).toEqual([code])
  return formatProblem({ ...found[0]!, place: next.placeOf(found[0]!.path) })
}

const rows = (codes: readonly string[]) => codes.map((code) => `| \`${code}\` | \`${saidAbout(code)}\` |`)
const BLOCKS: Record<string, readonly string[]> = {
  limits: [
    '| at most | |',
    '| ---: | --- |',
    ...Object.entries(LIMITS).map(([what, limit]) => `| ${limit.toLocaleString('en')} | ${what} |`),
  ],
  problems: ['| code | example |', '| --- | --- |', ...rows(PRICE_BOOK_PROBLEM_CODES)],
  versions: [
    '| code | example |',
    '| --- | --- |',
    ...PAST_CHANGE_CODES.map((code) => `| \`${code}\` | \`${saidAboutPast(code)}\` |`),
  ],
  remarks: ['| code | example |', '| --- | --- |', ...rows(PRICE_BOOK_REMARK_CODES)],
}

// UPDATE=1 writes the blocks; the difference is for the reviewer.
test('the page on price books has every limit, and every code with what is really said', () => {
  const page = readFileSync('docs/price-book.md', 'utf8')
  let expected = page
  for (const [name, lines] of Object.entries(BLOCKS)) {
    const block = `<!-- ${name} -->\n\n${lines.join('\n')}\n`
    expected = expected.replace(new RegExp(`<!-- ${name} -->\\n(?:\\n(?:\\|.*\\n)+)?`), () => block)
  }
  if (process.env['UPDATE']) writeFileSync('docs/price-book.md', expected)
  else expect(page).toBe(expected)
  expect(expected).not.toContain('no example')
})

test('the examples of the page are price books', () => {
  const page = readFileSync('docs/price-book.md', 'utf8')
  const [book = '', operations = '', tiers = '', eventTypes = ''] = page
    .split('```yaml\n')
    .slice(1)
    .map((part) => part.split('```')[0]!)
  expect(parsePriceBook(book, 'docs')).toMatchObject({ ok: true, remarks: [] })
  const renamed = book.replace(/^operations: .*\n/m, () => operations)
  expect(parsePriceBook(renamed, 'docs')).toMatchObject({ ok: true, remarks: [] })
  const rate = 'A: { component: processing, rates: { default: { operations: [B], unit: page, per: 1, prices:'
  const tiered = `priceBook: a\ncurrency: USD\nitems:\n  ${rate} ${flow(tiers)} } } }\n`
  expect(parsePriceBook(tiered, 'docs')).toMatchObject({ ok: true, remarks: [] })
  expect(parsePriceBook(book + eventTypes, 'docs')).toMatchObject({ ok: true, remarks: [] })
})

/** The prices of a YAML text, as JSON: to be written into a line. */
function flow(text: string): string {
  return JSON.stringify((parse(text) as { prices: unknown }).prices)
}
