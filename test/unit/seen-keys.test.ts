import { randomFillSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Instant } from '../../src/core/time/instant.ts'
import { makeIngestMemory } from '../../src/flows/ingest/ingest-events.ts'
import { SEEN_KEYS_KEPT, SeenKeys, WARY_GROUPS, Wariness } from '../../src/flows/ingest/seen-keys.ts'
import { GROUP_NAME_BITS } from '../../src/flows/ingest/under-way.ts'

const AT = Date.parse('2026-03-01T10:00:00Z') as Instant

/** Keys as random as those of events with random ids. */
function randomKeys(count: number) {
  const checksums = randomFillSync(new Int32Array(count))
  return Array.from(checksums, (checksum, index) => ({ checksum, at: (AT + index) as Instant }))
}

/** Hints of which it matters only whether there is one. */
function hints(memory = makeIngestMemory()) {
  const seen = new SeenKeys(memory.seenKeys)
  const note = (key: Parameters<SeenKeys['note']>[0]) => seen.note(key, 1) !== undefined
  return { note }
}

describe('the hint which events may be stored already', () => {
  test('a key is suspected from its second time on, and one that differs in content or instant is not', () => {
    const seen = hints()
    expect(seen.note({ checksum: -5, at: AT })).toBe(false)
    expect(seen.note({ checksum: -5, at: AT })).toBe(true)
    expect(seen.note({ checksum: -5, at: (AT + 1) as Instant })).toBe(false)
    expect(seen.note({ checksum: -6, at: AT })).toBe(false)
  })

  test('it names the last group that had the key', () => {
    const seen = new SeenKeys(makeIngestMemory().seenKeys)
    const key = { checksum: 0x1234_5678, at: AT }
    const last = 2 ** GROUP_NAME_BITS - 1
    expect([7, last, 9].map((group) => seen.note(key, group))).toEqual([undefined, 7, last])
    // Others, by the last bit of the checksum and by one that its set does not tell.
    expect(seen.note({ ...key, checksum: 0x1234_5679 }, 9)).toBeUndefined()
    expect(seen.note({ ...key, checksum: 0x1234_4678 }, 9)).toBeUndefined()
  })

  test('threads that share its memory share what was noted', () => {
    const memory = makeIngestMemory()
    const [one, other] = [hints(memory), hints(memory)]
    const keys = randomKeys(1_000)
    for (const key of keys) one.note(key)
    expect(keys.filter((key) => !other.note(key))).toEqual([])
    expect(hints().note(keys[0]!)).toBe(false)
  })

  test('of the newest million keys fewer than one in a thousand is forgotten', () => {
    const seen = hints()
    const keys = randomKeys(3_000_000)
    for (const key of keys) seen.note(key)
    const newest = keys.slice(-1_000_000)
    // Noting a forgotten key pushes out another: from the newest on, so that those to come are the first to go.
    const forgotten = newest.toReversed().filter((key) => !seen.note(key))
    expect(forgotten.length).toBeLessThan(1_000)
  })

  test('of ever more keys the oldest are forgotten', () => {
    const seen = hints()
    const [first, ...others] = randomKeys(2.5 * SEEN_KEYS_KEPT)
    for (const key of [first!, ...others]) seen.note(key)
    expect(seen.note(first!)).toBe(false)
  })

  test('after a repeat that nothing had hinted at, so many groups are looked up whole', () => {
    const wariness = new Wariness()
    wariness.learn(true)
    for (let group = 0; group < WARY_GROUPS; group++) {
      expect(wariness.isWary).toBe(true)
      wariness.learn(false)
    }
    expect(wariness.isWary).toBe(false)
  })
})
