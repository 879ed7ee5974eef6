import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { MINOR_UNITS } from '../../src/core/money/currency.ts'
import { SIZE_NAMES, TIME_NAMES } from '../../src/core/rate/price-book/per.ts'
import { readPriceBook } from '../../src/core/rate/price-book/parse/read-price-book.ts'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { SAMPLE, sampleWith } from './price-book-sample.ts'

const schema = JSON.parse(readFileSync('price-books/price-book.schema.json', 'utf8'))
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
const matches = ajv.compile(schema)

for (const name of ['imm.yaml', 'minimal.yaml']) {
  test(`${name} fits the schema that it names`, () => {
    const text = readFileSync(`price-books/${name}`, 'utf8')
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./price-book.schema.json')
    expect([matches(parse(text)), matches.errors]).toEqual([true, null])
  })
}

test('the lists of the schema are those of the core', () => {
  expect(schema.properties.currency.enum).toEqual([...MINOR_UNITS.keys()].toSorted())
  expect(schema.$defs.timeName.enum).toEqual(TIME_NAMES)
  expect(schema.$defs.size.enum.toSorted()).toEqual(SIZE_NAMES.toSorted())
  expect(schema.$defs.sizeHour.enum).toEqual(schema.$defs.size.enum.map((size: string) => `${size}-hour`))
})

const term = (text: string) => sampleWith('16', `- { from: "2026-01-01T00:00:00Z", ${text} }`)
const time = (text: string) => sampleWith('16', `- { from: ${text}, price: "1" }`)
const film = (text: string) =>
  sampleWith(
    '24',
    `films: { operations: [RenderFilm], ${text}, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }`,
  )

/** The schema and the core say the same of these, so that an editor is right while one types. */
const SAMPLES: Record<'good' | 'bad', readonly string[]> = {
  good: [
    SAMPLE,
    term('price: "0"'),
    term('price: "999999999999999999999999999999.999999999999"'),
    term('price: unknown'),
    term('free: until announced'),
    term(`free: "${'é'.repeat(200)}"`),
    term('price: "1", illustrative: true'),
    term('tiers: [{ upTo: "1000000", price: "0" }, { price: "3" }]'),
    term('tiers: [{ upTo: "0.5", price: "0" }, { upTo: "3 1000 call", price: "3" }, { price: "2.5" }]'),
    term('tiers: [{ upTo: "1", price: "0" }, { price: "3" }], illustrative: true'),
    time('"2025-12-31T19:00:00-05:00"'),
    time('2025-12-31t23:00:00.000z'),
    sampleWith('2', 'currency: JPY'),
    sampleWith('3', 'headings: { request: API calls, processing: "Tokens", storage: 储存 }'),
    sampleWith('3', `headings: { request: ${'a'.repeat(128)} }`),
    sampleWith('13', 'per: "1000000000000000000000000"'),
    sampleWith('14', 'billedStatuses: [1xx, 2xx, 3xx, 4xx, 5xx]'),
    sampleWith('14', '# all but 5xx'),
    sampleWith('19', '# for ever'),
    film('unit: byte, per: GiB'),
    film('unit: millisecond, per: 1000'),
    film('unit: my.unit_1:x-y, per: 7'),
    sampleWith('5', 'com/acme.level: { component: storage }'),
    sampleWith('5', '"API calls": { component: request }'),
    ...['GET /v1/photos/:id', 'ANY /a/{b}/*', String.raw`GET /^\/a(b|c)+$/`, 'é'].map((name) =>
      sampleWith('3', `operations: [${JSON.stringify(name)}]`),
    ),
    sampleWith(
      '5',
      'x: { component: processing, operation: RenderPage, quantities: { page: "number of pages", call: 1 } }',
    ),
  ],
  bad: [
    '[]',
    '{}',
    sampleWith('1', 'priceBook: my book'),
    sampleWith('1', 'priceBooks: acme'),
    sampleWith('1', '# no name'),
    sampleWith('1', `priceBook: ${'a'.repeat(129)}`),
    sampleWith('2', 'currency: eur'),
    sampleWith('2', 'currency: XAU'),
    ...['{}', 'Calls', '{ requests: Calls }', '{ request: 7 }', '{ request: "" }', '{ request: "a " }'].map(
      (text) => sampleWith('3', `headings: ${text}`),
    ),
    sampleWith('3', `headings: { request: ${'a'.repeat(129)} }`),
    sampleWith('3', 'operations: []'),
    sampleWith('3', 'operations: [A, A]'),
    sampleWith('3', 'operations: [200]'),
    ...['', ' GET /', 'GET / ', 'GET\t/', 'GET \u200b/', 'GET \u2028/', 'a'.repeat(256)].map((name) =>
      sampleWith('3', `operations: [${JSON.stringify(name)}]`),
    ),
    sampleWith('5', '"API calls ": { component: request }'),
    sampleWith('5', 'farthing.request: { component: request }'),
    sampleWith('5', 'com.acme.x: { component: storage, operation: RenderPage }'),
    sampleWith('5', 'com.acme.x: { component: other }'),
    sampleWith('5', 'com.acme.x: { component: request, quantities: { call: 1 } }'),
    sampleWith('5', 'com.acme.x: { component: storage, quantities: { byte: size } }'),
    sampleWith('5', 'com.acme.x: { component: processing, quantities: {} }'),
    sampleWith('5', 'com.acme.x: { component: processing, quantities: { page: 2 } }'),
    sampleWith('5', 'com.acme.x: { component: processing, quantities: { page: "" } }'),
    sampleWith('5', 'com.acme.x: { component: processing, quantities: { "a b": pages } }'),
    sampleWith('5', 'com.acme.x: { component: processing, quantities: [page] }'),
    sampleWith('7', 'API calls:'),
    sampleWith('8', 'component: other'),
    sampleWith('8', 'component: request ⏎ description: x'),
    sampleWith('11', 'operations: []'),
    sampleWith('11', '# none'),
    sampleWith('12', 'unit: page'),
    sampleWith('12', '# none'),
    sampleWith('13', 'per: 0'),
    sampleWith('13', 'per: 1.5'),
    sampleWith('13', 'per: "01"'),
    sampleWith('13', 'per: minute'),
    sampleWith('14', 'billedStatuses: []'),
    sampleWith('14', 'billedStatuses: [200]'),
    sampleWith('15-18', 'prices: []'),
    term('price: 0.5'),
    term('price: null'),
    term('price: "-1"'),
    term('price: "1e3"'),
    term('price: "01"'),
    term('price: "0.0000000000001"'),
    term('price: "1", free: x'),
    term('illustrative: true'),
    term('price: unknown, illustrative: true'),
    term('free: x, illustrative: true'),
    term('price: "1", illustrative: false'),
    term('free: ""'),
    term('tiers: []'),
    term('tiers: [{ price: "3" }]'),
    term('tiers: { upTo: "1", price: "3" }'),
    term('tiers: [{ upTo: 1000, price: "0" }, { price: "3" }]'),
    term('tiers: [{ upTo: "0", price: "0" }, { price: "3" }]'),
    term('tiers: [{ upTo: "-1", price: "0" }, { price: "3" }]'),
    term('tiers: [{ upTo: "1", price: 0 }, { price: "3" }]'),
    term('tiers: [{ upTo: "1", price: unknown }, { price: "3" }]'),
    term('tiers: [{ upTo: "1", cost: "0" }, { price: "3" }]'),
    term('tiers: [{ upTo: "1", price: "0" }, { price: "3" }], price: "1"'),
    term('free: " "'),
    term(`free: ${'x'.repeat(201)}`),
    time('"2026-01-01"'),
    time('"2026-01-01T00:00:00"'),
    time('"2026-01-01T00:00:00.5Z"'),
    film('unit: call, per: minute'),
    film('unit: call, per: GB'),
    film('unit: byte, per: GB-hour'),
    film('unit: call, per: 1, billedStatuses: [2xx]'),
    sampleWith(
      '28',
      'default: { unit: call, per: GB-hour, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }',
    ),
    sampleWith(
      '28',
      'default: { unit: byte, per: GB, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }',
    ),
    sampleWith(
      '28',
      'default: { unit: byte, per: 1, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }',
    ),
  ],
}

for (const [verdict, texts] of Object.entries(SAMPLES)) {
  test(`the schema and the core agree on ${texts.length} ${verdict} samples`, () => {
    const wrong = texts.filter((text) => {
      const data: Json = parse(text)
      return [matches(data), readPriceBook(data).ok].some((isGood) => isGood !== (verdict === 'good'))
    })
    expect(wrong).toEqual([])
  })
}
