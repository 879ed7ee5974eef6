import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonErrorOffset } from '../../src/http/body/json-place.ts'
import { parseJson } from '../../src/http/body/read-json.ts'
import { table } from '../table.ts'

for (const { text, offset, because } of table<'text' | 'offset' | 'because'>(`
  text            | offset | because
  tru             | 0      | no value begins so
  01              | 1      | after a 0 the number is over
  1.              | 1      | a point needs digits
  -               | 0      | a sign needs digits
  [1 2]           | 3      | a comma is missing
  [1,]            | 3      | a value is missing
  [1,             | 3      | it ends too early
  {"a" 1}         | 5      | a colon is missing
  {"a":1,}        | 7      | a name is missing
  {a:1}           | 1      | names are strings
  {"a":1]         | 6      | another bracket is open
  "a              | 2      | the string does not end
  "\\x"           | 1      | no escape is so
  [] []           | 3      | there is only one value
  nullx           | 4      | the word is over
`)) {
  test(`${text} stops being JSON at ${offset}: ${because}`, () => {
    expect(String(jsonErrorOffset(text))).toBe(offset)
    expect(parseJson(text)).toBeUndefined()
  })
}

// Guarantee: the scanner and JSON.parse agree on what JSON is, whatever was broken in it.
test('finds a place in a text exactly when JSON.parse refuses it', () => {
  const broken = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.constantFrom('', '"', ',', ']', '}', '\\', '1', ' ', 'e', '\n'),
    )
    .map(([text, at, length, put]) => {
      const start = at % (text.length + 1)
      return text.slice(0, start) + put + text.slice(start + length)
    })
  fc.assert(
    fc.property(broken, (text) => {
      const parsed = parseJson(text)
      const offset = jsonErrorOffset(text)
      expect(offset === undefined).toBe(parsed !== undefined)
      // What is before the place is JSON, or the beginning of it: it does not break earlier.
      if (offset !== undefined) expect([offset, undefined]).toContain(jsonErrorOffset(text.slice(0, offset)))
    }),
    { numRuns: 2_000 },
  )
})

test('a bracket for every level needs no stack', () => {
  expect(jsonErrorOffset('['.repeat(1_000_000))).toBe(1_000_000)
})
