import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLength, compareBytes, compareNullable, refuseText } from './well-formed.ts'

/** Any text that can be stored, with more of the characters on which orders differ. */
const anyText = fc.string({
  unit: fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), edge()),
})

function edge() {
  return fc.constantFrom(
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  )
}

/** Any sequence of UTF-16 units, also unpaired surrogates. */
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))

test('a text with U+0000 or half a surrogate pair cannot be stored', () => {
  expect(refuseText('plain, é, 漢, 🧾')).toBeUndefined()
  expect(refuseText('')).toBeUndefined()
  expect(refuseText('a\u0000b')).toBe('nul_character')
  expect(refuseText('a\ud83d')).toBe('unpaired_surrogate')
  expect(refuseText('\udcbea')).toBe('unpaired_surrogate')
  expect(refuseText('\udcbe\ud83d')).toBe('unpaired_surrogate')
})

// Guarantee: what is not refused survives the way to UTF-8 and back, so two texts never become one.
test('a text that is not refused is its UTF-8 form', () => {
  fc.assert(
    fc.property(anyUnits, (text) => {
      const survives = Buffer.from(text).toString() === text && !text.includes('\0')
      expect(refuseText(text) === undefined).toBe(survives)
    }),
  )
})

test('byteLength counts as Buffer.byteLength does, unpaired surrogates included', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, anyUnits), (text) => {
      expect(byteLength(text)).toBe(Buffer.byteLength(text))
    }),
  )
})

// Guarantee: keys, lines and digests have the order of PostgreSQL's collation "C".
test('compareBytes orders as Buffer.compare does', () => {
  fc.assert(
    fc.property(anyText, anyText, anyText, (start, a, b) => {
      const [left, right] = [start + a, start + b]
      expect(compareBytes(left, right)).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)))
    }),
  )
})

test('the order of bytes is not the order of UTF-16 units', () => {
  expect(['\uff21', '\u{1f9fe}'].sort()).toEqual(['\u{1f9fe}', '\uff21'])
  expect(compareBytes('\u{1f9fe}', '\uff21')).toBe(1)
})

test('null comes before every text, also the empty one', () => {
  expect(compareNullable(null, null)).toBe(0)
  expect(compareNullable(null, '')).toBe(-1)
  expect(compareNullable('', null)).toBe(1)
  expect(compareNullable('a', 'b')).toBe(-1)
})
