import fc from 'fast-check'
import { expect, test } from 'vitest'
import { table } from '../../../../test/table.ts'
import { anyJsonText, faultPathsOf, type Model, printed } from '../../../../test/unit/json-texts.ts'
import type { Json } from '../canonical-json.ts'
import { countMembers } from './count-members.ts'
import { isExactJson, isTooDeep, NESTING_MAX } from './exact-json.ts'
import { faultsIn, findFault } from './json-faults.ts'
import { partsOf } from './parts-of.ts'
import { sayFault } from './say-fault.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

for (const { text, says } of table<'text' | 'says'>(String.raw`
  text                                       | says
  1e-400                                     | It is the JSON number 1e-400, which a 64-bit float cannot hold exactly: send it as a string.
  {"a":{"b":[0,{"c":9007199254740993}]}}     | a.b[1].c is the JSON number 9007199254740993, which
  {"a":0.99999999999999999999}               | a is the JSON number 0.99999999999999999999, which
  [1e400]                                    | [0] is the JSON number 1e400, which
  [[1,2],[3,4e999]]                          | [1][1] is the JSON number 4e999, which
  {"":1e400}                                 | "" is the JSON number
  {"a b":1e400}                              | "a b" is the JSON number
  {"a":{"b c":{"d":1e400}}}                  | a."b c".d is the JSON number
  {"\u0061":1e400}                           | a is the JSON number
  {"\u001b[2J":1e400}                        | "\u001b[2J" is the JSON number
  {"\u202e":1e400}                           | "�" is the JSON number
  {"a":1,"a":1}                              | a is there more than once: send each key once.
  {"a":1,"a":1000}                           | a is there more than once
  {"a":1, "b":2 , "a" : null}                | a is there more than once
  {"a":1,"\u0061":2}                         | a is there more than once
  {"é":1,"\u00e9":2}                         | "é" is there more than once
  {"a\"":1,"a\"":2}                          | "a\"" is there more than once
  {"\ud83d":1,"\ud83d":2}                    | "\ud83d" is there more than once
  {"":1,"":2}                                | "" is there more than once
  {"__proto__":1,"__proto__":2}              | __proto__ is there more than once
  {"constructor":1,"constructor":2}          | constructor is there more than once
  {"1":1,"1":2}                              | 1 is there more than once
  {"a":{"b":{},"b":{}}}                      | a.b is there more than once
  [{"a":1},{"a":[{"b":1,"c":2,"b":3}]}]      | [1].a[0].b is there more than once
  {"a":[1,"x\\",2],"b":"{","b":"}"}          | b is there more than once
  {"a":"\"a\":1,","a":1}                     | a is there more than once
`)) {
  test(`${text}: ${says}`, () => {
    const fault = findFault(text)
    expect(fault && sayFault(fault, 'It')).toContain(says)
    expect(isExactJson(JSON.parse(text) as Json, bytesOf(text))).toBe(false)
  })
}

for (const text of [
  '{"a":1,"b":1,"A":1,"a ":1}',
  '{"a":{"a":{"a":1}},"b":{"a":1}}',
  '[{"a":1},{"a":1}]',
  '{"a":"a","b":"a"}',
  '{"a":"1e400","b":"9007199254740993"}',
  '{"1e400":1,"x:y":":"}',
  String.raw`{"a":"\\","b":"\"","c":"\\\"1e400"}`,
  '[1.0,1e3,100e-2,0.1,-0,9007199254740992]',
  ' { "a" : [ ] , "b" : { } } \r\n\t',
  '"a"',
  'null',
  '0',
  '{"é":1,"e\u0301":1}',
]) {
  test(`${text} says what its parsed value says`, () => {
    expect(findFault(text)).toBeUndefined()
    expect(isExactJson(JSON.parse(text) as Json, bytesOf(text))).toBe(true)
  })
}

test('places and numbers of any length are shortened', () => {
  const deep = `${'{"abcdefghij":'.repeat(40)}${'9'.repeat(500)}${'}'.repeat(40)}`
  const said = sayFault(findFault(deep)!, 'It')
  expect(said.length).toBeLessThan(300)
  expect(said).toContain(`${'9'.repeat(40)}…, which`)
})

// Guarantee: the quick look and the exact one find the same, whatever the text is, and the place is the first one.
test('a repeated key or an inexact number is found wherever it is, and nothing else', () => {
  fc.assert(
    fc.property(anyJsonText, (model) => {
      const text = printed(model)
      const value = JSON.parse(text) as Json
      const expected = faultPathsOf(model)
      expect([...faultsIn(text)].map(({ path }) => path)).toEqual(expected)
      expect(isExactJson(value, bytesOf(text))).toBe(expected.length === 0)
    }),
    { numRuns: 3_000 },
  )
})

test('the parts of a text parse to the parts of its value', () => {
  const containers = anyJsonText.filter((model: Model) => 'members' in model || 'elements' in model)
  fc.assert(
    fc.property(containers, (model) => {
      const parts = partsOf(printed(model)).map(({ key, text }) => [key, JSON.parse(text) as Json])
      const own =
        'members' in model
          ? model.members
          : 'elements' in model
            ? model.elements.map((one) => [undefined, one])
            : []
      expect(parts).toEqual(own.map(([key, inner]) => [key, JSON.parse(printed(inner as Model)) as Json]))
    }),
  )
})

test('bytes that are not JSON end the quick look, and it says nothing wrong of what is', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom('"', '\\', '-', '1e', '{"a":'),
      (bytes, end) => {
        isExactJson(null, Buffer.concat([bytes, Buffer.from(end)]))
      },
    ),
  )
})

function nested(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`
}

test('nesting needs no stack, and what is too deep is not called exact', () => {
  expect(isTooDeep(JSON.parse(nested(NESTING_MAX)) as Json)).toBe(false)
  expect(isTooDeep(JSON.parse(nested(NESTING_MAX + 1)) as Json)).toBe(true)
  const deep = nested(200_000)
  expect(findFault(deep)).toBeUndefined()
  expect(isExactJson(JSON.parse(deep) as Json, bytesOf(deep))).toBe(false)
  expect(countMembers({ a: { b: [{ c: 1, d: null }] } }, 4)).toBe(4)
})
