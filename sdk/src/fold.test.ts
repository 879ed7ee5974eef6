import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requestContent, type RequestFact } from './facts.ts'
import { completed, countOf, createFold, FOLDED_COUNT_MAX, isFoldable, MINUTE_MS, type Part } from './fold.ts'

const START = Date.UTC(2026, 0, 1, 10)

// Few values each, so that keys meet often.
const NAMES = ['a', 'aa', 'a|a']
const fact: fc.Arbitrary<RequestFact> = fc.record(
  {
    account: fc.constantFrom(...NAMES),
    operation: fc.constantFrom(...NAMES),
    status: fc.constantFrom(200, 503),
    project: fc.constantFrom(null, undefined, '', 'a', 'aa'),
    region: fc.constantFrom(null, '', 'a'),
    count: fc.bigInt(0n, 10n ** 15n),
    at: fc.integer({ min: START, max: START + 2 * MINUTE_MS }),
  },
  { requiredKeys: ['account', 'operation', 'status', 'at'] },
)
/** Facts in the order in which they are called: the clock may go anywhere. Numbers: all parts are closed. */
const backfill = fc.array(
  fc.oneof({ weight: 8, arbitrary: fact }, { weight: 1, arbitrary: fc.constant('close') }),
)

function fold(facts: readonly (RequestFact | string)[], run: string): readonly Part[] {
  const { find, open, close } = createFold('/s', run)
  const closed: Part[] = []
  let number = 0
  for (const one of facts) {
    if (typeof one === 'string') closed.push(...close())
    else {
      const content = requestContent(one, 0)
      const part = find(content) ?? open(content, ++number)
      part.count += countOf(content.data)
    }
  }
  return [...closed, ...close()]
}

function sums(entries: readonly (readonly [key: string, count: bigint])[]): Map<string, bigint> {
  const all = new Map<string, bigint>()
  for (const [key, count] of entries) all.set(key, (all.get(key) ?? 0n) + count)
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const minute = (at: number) => new Date(Math.floor(at / MINUTE_MS) * MINUTE_MS).toISOString()

test('folding loses and doubles no call: by account, project, operation, status, region and minute', () => {
  fc.assert(
    fc.property(backfill, (facts) => {
      const called = facts
        .filter((one): one is RequestFact => typeof one !== 'string')
        .map((one) => {
          const { account, operation, status, project, region } = one
          const key = [account, operation, status, project || null, region || null, minute(one.at as number)]
          return [JSON.stringify(key), BigInt(one.count ?? 1)] as const
        })
      const folded = fold(facts, 'run').map(({ event, count }) => {
        const { data, subject, time } = completed(event, count)
        const { operation, status, project, region } = data
        return [
          JSON.stringify([subject, operation, status, project ?? null, region ?? null, time]),
          BigInt(data['count'] as string),
        ] as const
      })
      expect(sums(folded)).toEqual(sums(called))
    }),
  )
})

// All that look alike when a key is glued, with or without something between its parts, or spelt with null in it.
const ALIKE = ['a', 'aa', 'a|a', 'a,a', 'a a', 'a:a', 'a/a', 'a","a', 'null', 'undefined']

test('calls that differ in one part of the key only are never counted together', () => {
  const NONE = undefined
  const facts: RequestFact[] = []
  for (const account of ALIKE)
    for (const operation of ALIKE)
      for (const project of [NONE, ...ALIKE])
        for (const region of [NONE, ...ALIKE])
          facts.push({ account, operation, status: 200, project, region, at: START })
  const [first] = facts
  facts.push({ ...first!, status: 201 }, { ...first!, at: START + MINUTE_MS })
  const parts = fold([...facts, ...facts], 'run')
  expect(parts.length).toBe(facts.length)
  expect(parts.every(({ count }) => count === 2n)).toBe(true)
})

test('no two parts have the same identity, however often a minute is begun again, in however many processes', () => {
  fc.assert(
    fc.property(backfill, backfill, (one, other) => {
      const ids = [...fold(one, 'one'), ...fold(other, 'other')].map(({ event }) => event.id)
      expect(new Set(ids).size).toBe(ids.length)
    }),
  )
})

test('a minute has one part for each key', () => {
  const call = { account: 'a', operation: 'o', status: 200 }
  const facts = [0, 59_999, 60_000, 119_999].map((ms) => ({ ...call, at: START + ms }))
  expect(fold(facts, 'run').map(({ event, count }) => [event.id, event.time, count])).toEqual([
    ['run-2026-01-01T10:00Z-1', '2026-01-01T10:00:00.000Z', 2n],
    ['run-2026-01-01T10:01Z-2', '2026-01-01T10:01:00.000Z', 2n],
  ])
})

test('only calls that lose nothing by it are folded', () => {
  const call = { account: 'a', operation: 'o', status: 200 }
  const foldable = (more: Partial<RequestFact>) => isFoldable(requestContent({ ...call, ...more }, START))
  expect([foldable({}), foldable({ count: FOLDED_COUNT_MAX })]).toEqual([true, true])
  expect([foldable({ id: 'own' }), foldable({ resource: 'r' })]).toEqual([false, false])
  expect(foldable({ count: FOLDED_COUNT_MAX + 1n })).toBe(false)
})
