import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, type Json } from './canonical-json.ts'

const read = (text: string) => JSON.parse(text) as Json

// RFC 8785, section 3.2.2 and 3.2.3: the example of the specification.
test('the example of RFC 8785', () => {
  const given = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`
  expect(canonicalJson(read(given))).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

// RFC 8785, section 3.2.3: the order is that of UTF-16 units, not that of code points or bytes.
test('keys are in the order of their UTF-16 units', () => {
  const given = String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  }`
  expect(Object.values(read(canonicalJson(read(given))) as Record<string, string>)).toEqual([
    'One', // moved first by JSON.parse: keys that are integers; the text below has the real order
    'Carriage Return',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
  expect(canonicalJson(read(given)).startsWith(String.raw`{"\r":"Carriage Return","1":"One"`)).toBe(true)
})

// RFC 8785, appendix B, and numbers that look different and are the same.
for (const [given, form] of [
  ['0', '0'],
  ['-0', '0'],
  ['1.0', '1'],
  ['1e2', '100'],
  ['100', '100'],
  ['5e-324', '5e-324'],
  ['1.7976931348623157e308', '1.7976931348623157e+308'],
  ['9007199254740992', '9007199254740992'],
  ['295147905179352830000', '295147905179352830000'],
  ['1e23', '1e+23'],
  ['0.000001', '0.000001'],
  ['0.0000001', '1e-7'],
] as const) {
  test(`the number ${given} is written ${form}`, () => {
    expect(canonicalJson(read(given))).toBe(form)
  })
}

test('a number that JSON has not is a bug', () => {
  expect(() => canonicalJson(Infinity)).toThrow(/infinite/)
  expect(() => canonicalJson([NaN])).toThrow(/infinite/)
})

test('keys of JavaScript itself are keys like any other', () => {
  expect(canonicalJson(read('{"toString":1,"__proto__":{"a":1},"constructor":2}'))).toBe(
    '{"__proto__":{"a":1},"constructor":2,"toString":1}',
  )
})

// Guarantee: the form keeps the content, and the order in which keys were sent does not show.
test('the form says the same, and is the same for the same content', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const form = canonicalJson(value as Json)
      expect(read(form)).toEqual(read(JSON.stringify(value)))
      expect(canonicalJson(read(form))).toBe(form)
      expect(canonicalJson(backwards(value as Json))).toBe(form)
    }),
  )
})

/** The same content with the keys of every object in the opposite order. */
function backwards(value: Json): Json {
  if (Array.isArray(value)) return value.map(backwards)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(
    ([key, inner]: [string, Json]) => [key, backwards(inner)] as const,
  )
  return Object.fromEntries(entries.reverse())
}
