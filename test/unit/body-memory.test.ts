import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { HttpProblem } from '../../src/http/api/problem.ts'
import { Gathered } from '../../src/http/body/gather.ts'
import { BodyMemory, bytesHeld, isScarce } from '../../src/http/body/held-bytes.ts'
import {
  HELD_BYTES_MAX,
  KEY_HELD_BYTES_MAX,
  LARGE_BODY_BYTES,
  LINES_IDLE_MS_MAX,
  PACE_BYTES_MIN,
  PACE_MS,
  SMALL_BODIES_BYTES_MIN,
} from '../../src/http/body/limits.ts'
import { Pace } from '../../src/http/body/pace.ts'

// Guarantee: the memory for bodies is shared fairly, and what arrives slowly keeps nobody waiting.

const MIB = 1024 * 1024
let bodies: BodyMemory[] = []

/** A body of a key that has taken so many bytes. */
function body(key: string, bytes: number): BodyMemory {
  const memory = new BodyMemory().ofKey(key)
  bodies.push(memory)
  memory.take(bytes)
  return memory
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'taken'
  } catch (error) {
    return (error as HttpProblem).code
  }
}

afterEach(() => {
  for (const memory of bodies) memory.giveBack()
  bodies = []
})

describe('memory for bodies', () => {
  test('of one key is at most half, to the byte, and others have theirs', () => {
    for (let taken = 0; taken < KEY_HELD_BYTES_MAX; taken += 16 * MIB) body('greedy', 16 * MIB)
    expect(codeOf(() => body('greedy', 1))).toBe('request/too_many_bodies')
    expect(codeOf(() => body('other', 16 * MIB))).toBe('taken')
    bodies[0]!.giveBack()
    expect(codeOf(() => body('greedy', 16 * MIB))).toBe('taken')
  })

  test('that large ones have taken leaves the reserve to small ones', () => {
    const large = HELD_BYTES_MAX - SMALL_BODIES_BYTES_MIN
    for (let taken = 0, key = 0; taken < large; taken += 16 * MIB, key++) body(`key ${key % 4}`, 16 * MIB)
    expect(codeOf(() => body('large', LARGE_BODY_BYTES + 1))).toBe('ingest/overloaded')
    const small = body('small', LARGE_BODY_BYTES)
    // It has become a large one.
    expect(codeOf(() => small.take(1))).toBe('ingest/overloaded')
    for (let at = 1; at < SMALL_BODIES_BYTES_MIN / LARGE_BODY_BYTES; at++) body(`s ${at}`, LARGE_BODY_BYTES)
    expect(codeOf(() => body('one more', 1))).toBe('ingest/overloaded')
    expect(bytesHeld()).toBe(HELD_BYTES_MAX)
  })

  test('counts what has arrived: a body that grows is counted as it grows, and given back once', () => {
    const memory = body('key', 1)
    for (let at = 0; at < 100; at++) memory.take(1_000)
    expect(bytesHeld()).toBe(100_001)
    memory.giveBack()
    memory.giveBack()
    // Of a connection that has gone.
    memory.take(1_000)
    expect(bytesHeld()).toBe(0)
  })

  test('of a body that is worked on is given back when the work has ended, also without its connection', async () => {
    const memory = body('key', 1_000)
    let finish: ((error?: Error) => void) | undefined
    const work = new Promise<void>((resolve, reject) => {
      finish = (error) => (error ? reject(error) : resolve())
    })
    void memory.during(work).catch(() => {})
    memory.giveBack()
    expect(bytesHeld()).toBe(1_000)
    finish!(new Error('the thread has ended'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(bytesHeld()).toBe(0)
  })

  test('is scarce when over half of it is taken', () => {
    for (const key of ['a', 'b', 'c', 'd']) body(key, 16 * MIB)
    expect(isScarce()).toBe(false)
    body('e', 1)
    expect(isScarce()).toBe(true)
  })
})

describe('the pace of a body', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const LEAST = (PACE_BYTES_MIN * PACE_MS) / 1000
  const makeScarce = () => ['a', 'b', 'c', 'd', 'e'].forEach((key) => body(key, 14 * MIB))
  const started = (isLines: boolean) => {
    const told: string[] = []
    const pace = new Pace(isLines, ({ code }) => told.push(code))
    return { pace, told }
  }

  test('may be any while there is memory', () => {
    const { pace, told } = started(false)
    vi.advanceTimersByTime(10 * PACE_MS)
    expect(told).toEqual([])
    pace.end()
  })

  test('is at least 1 KiB/s over 15 s when memory is scarce, and one that is slower is told once', () => {
    makeScarce()
    const [good, slow] = [started(false), started(false)]
    for (let window = 0; window < 4; window++) {
      good.pace.arrived(LEAST)
      slow.pace.arrived(window < 2 ? LEAST : LEAST - 1)
      vi.advanceTimersByTime(PACE_MS)
      expect(slow.told).toEqual(window < 2 ? [] : ['request/too_slow'])
    }
    expect(good.told).toEqual([])
    good.pace.end()
  })

  test('is asked of one that has sent nothing more since before memory was scarce', () => {
    const { told } = started(false)
    vi.advanceTimersByTime(PACE_MS * 3 - 1_000)
    makeScarce()
    vi.advanceTimersByTime(PACE_MS + 1_000)
    expect(told).toEqual(['request/too_slow'])
  })

  test('of lines may be a pause of 60 s, again and again, and no longer one', () => {
    makeScarce()
    const { pace, told } = started(true)
    for (let at = 0; at < 3; at++) {
      pace.arrived(1)
      vi.advanceTimersByTime(LINES_IDLE_MS_MAX - 1_000)
      expect(told).toEqual([])
    }
    vi.advanceTimersByTime(2_000)
    expect(told).toEqual(['request/too_slow'])
  })

  test('is looked at by one timer, and by none when no body arrives', () => {
    const paces = Array.from({ length: 200 }, () => new Pace(false, () => {}))
    expect(vi.getTimerCount()).toBe(1)
    for (const pace of paces) pace.end()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the chunks of a body', () => {
  test('come together as they were sent, however they are cut', () => {
    const chunks = fc.array(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 40_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
      ),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(chunks, (parts) => {
        const gathered = new Gathered()
        for (const part of parts) gathered.add(Buffer.from(part))
        expect(gathered.length).toBe(parts.reduce((sum, part) => sum + part.length, 0))
        expect(gathered.end().equals(Buffer.concat(parts))).toBe(true)
      }),
    )
  })

  test('of one byte each take up little more than their bytes', () => {
    const gathered = new Gathered()
    const before = process.memoryUsage()
    const chunk = Buffer.from('x')
    for (let at = 0; at < 4 * MIB; at++) gathered.add(chunk)
    const after = process.memoryUsage()
    const grown = after.heapUsed + after.external - before.heapUsed - before.external
    expect(grown).toBeLessThan(16 * MIB)
    expect(gathered.end()).toHaveLength(4 * MIB)
  })
})
