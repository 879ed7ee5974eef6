import { expect, test } from 'vitest'
import { parsePriceBook, TEXT_BYTES_MAX } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'
import { codesOf, SAMPLE, sampleWith, shownBy } from './price-book-sample.ts'

const codes = (text: string | Uint8Array) => codesOf(parsePriceBook(text, 'acme.yaml'))

/** The sample with a comment that fills it to a size in bytes. */
function sampleOf(size: number): string {
  return `${SAMPLE}#${' '.repeat(size - SAMPLE.length - 1)}`
}

// One line of the sample is replaced; the text is refused before its data is looked at.
for (const { lines, instead, at, code } of table<'lines' | 'instead' | 'at' | 'code'>(String.raw`
  lines | instead                                                                 | at    | code
  2     | currency: &euro EUR                                                     | 2:11  | yaml_alias
  2     | currency: *euro                                                         | 2:11  | yaml_alias
  2     | currency: !!str EUR                                                     | 2:11  | yaml_tag
  2     | currency: !currency EUR                                                 | 2:11  | yaml_tag
  2     | currency: EUR ⏎ currency: USD                                           | 3:1   | yaml_duplicate_key
  2     | currency: EUR ⏎ "currency": USD                                         | 3:1   | yaml_duplicate_key
  2     | currency: EUR ⏎ <<: { operations: [A] }                                 | 3:1   | yaml_merge_key
  2     | currency: EUR ⏎ 404: not found                                          | 3:1   | yaml_key_not_text
  2     | currency: EUR ⏎ [a, b]: c                                               | 3:1   | yaml_key_not_text
  2     | currency: EUR ⏎ ? { a: b } ⏎ : c                                        | 3:3   | yaml_key_not_text
  13    | per: 1000.00000000000000000001                                          | 13:14 | yaml_inexact_number
  13    | per: 9007199254740993                                                   | 13:14 | yaml_inexact_number
  13    | per: +0.99999999999999999999                                            | 13:14 | yaml_inexact_number
  13    | per: .10000000000000000555                                              | 13:14 | yaml_inexact_number
  13    | per: 1e-400                                                             | 13:14 | yaml_inexact_number
  13    | per: 0x20000000000001                                                   | 13:14 | yaml_inexact_number
  14    | billedStatuses: [200.00000000000000000001]                              | 14:26 | yaml_inexact_number
  2     | currency: "EUR                                                          | 2:15  | yaml_syntax
  2     | currency: @EUR                                                          | 2:11  | yaml_syntax
  2     | currency: EUR ⏎ --- ⏎ priceBook: second                                 | 3:1   | yaml_documents
  2     | currency: EUR ⏎ ... ⏎ priceBook: second                                 | 4:1   | yaml_documents
  3     | operations: [[[[[[[[[[[[[[[[[[A]]]]]]]]]]]]]]]]]]                       | 3:29  | too_deep
  3     | operations: ⏎ - - - - - - - - - - - - - - - - - A                       | 4:33  | too_deep
`)) {
  test(`${lines} as ${instead}: ${code}`, () => {
    expect(codes(sampleWith(lines, instead))).toEqual([`${at} price_book/${code}`])
  })
}

test.each(['1e3', '+1000', '1000.', '1000.0', '0x3e8', '0o1750'])('per: %s is 1000', (number) => {
  expect(parsePriceBook(sampleWith('13', `per: ${number}`), 'acme.yaml')).toMatchObject({ ok: true })
})

test('a directive is refused: under YAML 1.1 `no` would be false and 0.5 a price of sixty seconds', () => {
  expect(codes(`%YAML 1.1\n---\n${SAMPLE}`)).toEqual(['1:1 price_book/yaml_directive'])
})

test('indentation by tabs is refused', () => {
  expect(
    codes(sampleWith('8-9', 'component: request ⏎ rates:').replace('    rates:', '\trates:'))[0],
  ).toMatch(/^9:1 price_book\/yaml_syntax$/)
})

test('a control character is refused', () => {
  expect(codes(sampleWith('2', 'currency: "E\u0000UR"'))).toEqual(['2:13 price_book/yaml_syntax'])
})

test('an empty text, a list and a scalar are no price book', () => {
  for (const text of ['', '# only a comment\n', '- a\n', 'price book']) {
    expect(codes(text).map((code) => code.split(' ')[1])).toEqual(['price_book/wrong_type'])
  }
})

test('bytes that are not UTF-8 are refused where they begin', () => {
  const bytes = Buffer.from(SAMPLE.replace('in winter', 'in w\u00ffnter'), 'latin1')
  expect(codes(bytes)).toEqual(['17:55 price_book/not_utf8'])
  expect(codes(Buffer.concat([Buffer.from('\ufeff'), bytes]))).toEqual(['17:55 price_book/not_utf8'])
  expect(codes(Buffer.from(SAMPLE, 'utf16le'))).toEqual(['1:2 price_book/yaml_syntax'])
  expect(codes(Buffer.concat([Buffer.from(SAMPLE), Buffer.from([0xe2, 0x82])]))).toEqual([
    '29:1 price_book/not_utf8',
  ])
})

test('a byte order mark, CR LF and a document start are fine', () => {
  for (const text of [`\ufeff${SAMPLE}`, SAMPLE.replaceAll('\n', '\r\n'), `---\n${SAMPLE}...\n`]) {
    expect(codes(text)).toEqual([])
    expect(codes(Buffer.from(text))).toEqual([])
  }
})

test('JSON is read too, also when indented by tabs, and places are its own', () => {
  const parsed = parsePriceBook(SAMPLE, 'acme.yaml')
  if (!parsed.ok) throw new Error('the sample is valid')
  const json = JSON.stringify(JSON.parse(parsed.canonical), null, '\t')
  const again = parsePriceBook(json, 'acme.json')
  expect(again).toMatchObject({ ok: true, book: parsed.book, canonical: parsed.canonical })
  expect(codes('{\n\t"priceBook": "acme",\n\t"currency": "eur",\n\t"items": {}\n}')).toEqual([
    '3:14 price_book/unknown_currency',
    '4:11 price_book/empty',
  ])
})

test('a text of 1 MB is read, one byte more is not', () => {
  expect(codes(sampleOf(TEXT_BYTES_MAX))).toEqual([])
  expect(codes(sampleOf(TEXT_BYTES_MAX + 1))).toEqual(['1:1 price_book/too_large'])
})

test('all problems are reported, in reading order, and no more than 100', () => {
  const wrong = sampleWith('12-14', 'unit: page ⏎ per: 0 ⏎ billedStatuses: [6xx]')
  expect(codes(wrong)).toEqual([
    '12:15 price_book/wrong_unit',
    '13:14 price_book/wrong_per',
    '14:26 price_book/not_a_status',
  ])
  const twoPlaces = SAMPLE.replace('{ component: processing', '{ component: x').replace(': request', ': y')
  expect(codes(twoPlaces)).toEqual(['5:33 price_book/unknown_component', '8:16 price_book/unknown_component'])
  const many = Array.from({ length: 500 }, (_, index) => `"bad\\tname ${index}"`)
  expect(codes(sampleWith('3', `operations: [${many.join(', ')}]`))).toHaveLength(100)
})

test('a problem is one line for a terminal or an editor, whatever the text contains', () => {
  const [shown] = shownBy(sampleWith('3', String.raw`operations: ["\e[31mred\u202E", A]`))
  expect(shown).toBe(
    'acme.yaml:3:14: The operation "\\u001b[31mred\ufffd" has the character U+001B, which nobody can see — write it without, as events name it',
  )
})

// Each is 1 MB at most. An alias bomb or a tower of brackets must not cost minutes, memory or the process.
const LAUGHS = [
  'a: &a [x,x]',
  ...'bcdefghij'
    .split('')
    .map((name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]`),
]
const BOMBS: Record<string, readonly [text: string, code: string]> = {
  'a billion laughs': [LAUGHS.join('\n'), 'yaml_alias'],
  'many anchors': ['&a '.repeat(333_333), 'yaml_alias'],
  'a tower of brackets': ['['.repeat(1_000_000), 'too_deep'],
  'a tower of dashes': ['- '.repeat(500_000), 'too_deep'],
  'a tower of questions': ['? '.repeat(500_000), 'too_deep'],
  'a tower of mappings': ['{a: '.repeat(250_000), 'too_deep'],
  'a stair of mappings': [
    Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'too_deep',
  ],
  'a million ends': ['}'.repeat(1_000_000), 'too_large'],
  'a million commas': [`[${','.repeat(999_998)}]`, 'too_large'],
  'many keys': [Array.from({ length: 90_000 }, (_, index) => `k${index}: 1`).join('\n'), 'too_large'],
  'many documents': ['---\n'.repeat(250_000), 'too_large'],
}
for (const [name, [text, code]] of Object.entries(BOMBS)) {
  test(`${name} is refused quickly: ${code}`, () => {
    const start = performance.now()
    expect(codes(text)[0]).toMatch(new RegExp(` price_book/${code}$`))
    expect(performance.now() - start).toBeLessThan(10_000)
  })
}
