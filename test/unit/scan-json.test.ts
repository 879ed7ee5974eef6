import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { countMembers } from '../../src/core/text/json/count-members.ts'
import { afterBlanks, scanValue } from '../../src/core/text/json/scan-json.ts'
import { scanList } from '../../src/core/text/json/scan-list.ts'

// Guarantee: before a parser sees anything, one pass says where each element ends and how much is in it.

const LIMITS = { levelsMax: 64, valuesMax: 2_000, bytesMax: 16_384 }
const LIST = { element: LIMITS, elementsMax: 100, valuesMax: 10_000 }
const NONE = { levelsMax: Infinity, valuesMax: Infinity, bytesMax: Infinity }
const bytesOf = (text: string) => new TextEncoder().encode(text)
const scan = (text: string) => scanValue(bytesOf(text), 0, LIMITS)
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const listOf = (count: number, element = '0') => `[${Array(count).fill(element).join(',')}]`

function valuesOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 1
  return Object.values(value).reduce<number>((sum, inner) => sum + valuesOf(inner), 1)
}

describe('a value', () => {
  test.each<[within: string, beyond: string, excess: string]>([
    [nested(64), nested(65), 'levels'],
    [`{"a":${nested(63)}}`, `{"a":${nested(64)}}`, 'levels'],
    [listOf(1_999), listOf(2_000), 'values'],
    [listOf(1_999, '""'), listOf(2_000, '""'), 'values'],
    [listOf(1_999, '[]'), listOf(2_000, '{}'), 'values'],
    [listOf(999, '{"a":null}'), listOf(1_000, '{"a":null}'), 'values'],
    [`"${'x'.repeat(16_382)}"`, `"${'x'.repeat(16_383)}"`, 'bytes'],
    ['9'.repeat(16_384), '9'.repeat(16_385), 'bytes'],
    [`"${'\\u0000'.repeat(2_730)}"`, `"${'\\u0000'.repeat(2_731)}"`, 'bytes'],
  ])('is within its limits to the last, and beyond with one more (%#)', (within, beyond, excess) => {
    expect(scan(within)).toMatchObject({ excess: undefined, end: within.length })
    expect(scan(beyond)).toMatchObject({ excess, end: beyond.length })
  })

  test('is counted as a parser would', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom('', ' ', '\n\t'), (text, blanks) => {
        const written = JSON.stringify(JSON.parse(text), undefined, blanks)
        const value = JSON.parse(written) as Json
        const found = scanValue(bytesOf(`${blanks}${written}${blanks},`), 0, NONE)
        expect([found.values, found.members]).toEqual([valuesOf(value), countMembers(value, 100)])
        expect(found.end).toBe(bytesOf(`${blanks}${written}${blanks}`).length)
      }),
      { numRuns: 1_000 },
    )
  })

  test.each(['{} {}', '1 2', '"a""b"', '{}\n{}', '[],', '[]]', ',', ':1', '}', 'null true'])(
    'ends where another one begins or nothing can stand: %s',
    (text) => expect(scan(text).end).toBeLessThan(text.length),
  )

  test('of any bytes is scanned to some end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const { end, values } = scanValue(bytes, 0, LIMITS)
        expect(end).toBeLessThanOrEqual(bytes.length)
        expect(values).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})

describe('a list', () => {
  const scanned = (text: string) => scanList(bytesOf(text), text.indexOf('['), LIST)

  test('ends with the first element too many, and with the first value too many', () => {
    expect(scanned(listOf(100))).toMatchObject({ is: 'list', end: 201 })
    expect(scanned(listOf(101)).is).toBe('too many elements')
    expect(scanned(`[${'{},'.repeat(100_000)}`).is).toBe('too many elements')
    expect(scanned(listOf(10, listOf(999))).is).toBe('list')
    expect(scanned(listOf(11, listOf(999))).is).toBe('too many values')
  })

  test('has its elements, also beside those of which there is too much', () => {
    const texts = ['{"a":"],["}', nested(100_000), '7', listOf(20_000), ` "${'x'.repeat(20_000)}" `, '{}']
    const list = scanned(`[${texts.join(',')}]`)
    if (list.is !== 'list') return expect.fail(list.is)
    const found = list.elements.map(({ excess }) => excess)
    expect(found).toEqual([undefined, 'levels', undefined, 'values', 'bytes', undefined])
    const all = `[${texts.join(',')}]`
    expect(list.elements.map(({ start, end }) => all.slice(start, end).trim())).toEqual(
      texts.map((text) => text.trim()),
    )
  })

  test('whose elements can all be parsed is what a parser makes of the whole; else the whole is no JSON', () => {
    const damaged = fc
      .tuple(
        fc.array(fc.json({ maxDepth: 3 }), { maxLength: 6 }),
        fc.nat(),
        fc.nat(2),
        fc.constantFrom('', ',', ']', '}', '"', '[', '\u0001', '\\'),
      )
      .map(([elements, at, removed, put]) => {
        const text = `[${elements.join(', ')}]`
        const place = at % (text.length + 1)
        return text.slice(0, place) + put + text.slice(place + removed)
      })
    fc.assert(
      fc.property(damaged, (text) => {
        const bytes = bytesOf(text)
        fc.pre(bytes[afterBlanks(bytes, 0)] === 0x5b)
        expect(byElements(bytes)).toEqual(parsed(text))
      }),
      { numRuns: 5_000 },
    )
  })
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the elements make of a list by themselves. */
function byElements(bytes: Uint8Array): unknown {
  const list = scanList(bytes, afterBlanks(bytes, 0), LIST)
  if (list.is !== 'list' || afterBlanks(bytes, list.end) < bytes.length) return undefined
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const values = list.elements.map(({ start, end }) => parsed(decoder.decode(bytes.subarray(start, end))))
  return values.includes(undefined) ? undefined : values
}
