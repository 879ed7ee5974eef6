import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  QUESTION_WAIT_MS,
  QuestionGate,
  type QuestionKind,
  QUESTIONS_WAITING_MAX,
} from '../../src/http/limits/question-gate.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const LIMITS = { atOnceMax: 6, boundMax: 3, unboundMax: 4, dryRunsMax: 2 }

/** Notes which questions have begun, and lets them end. */
function room(limits = LIMITS) {
  const gate = new QuestionGate(limits)
  const begun: string[] = []
  const failed: string[] = []
  const ends = new Map<string, () => void>()
  const goners = new Map<string, AbortController>()
  let count = 0
  async function ask(id: string, kind: QuestionKind = 'question', account: string | undefined = 'acme') {
    const name = `${id}${++count}`
    const gone = new AbortController()
    goners.set(name, gone)
    try {
      const end = await gate.enter({ key: { id, account }, kind, gone: gone.signal })
      begun.push(name)
      ends.set(name, end)
    } catch (error) {
      failed.push(`${name} ${(error as { code?: string }).code ?? 'gone'}`)
    }
  }
  const settle = () => vi.advanceTimersByTimeAsync(0)
  return {
    begun,
    failed,
    ask: async (...ids: string[]) => {
      for (const id of ids) void ask(id)
      await settle()
    },
    askAs: async (id: string, kind: QuestionKind, account?: string) => {
      void ask(id, kind, account)
      await settle()
    },
    askUnbound: async (id: string) => {
      const name = `${id}${++count}`
      void gate
        .enter({ key: { id, account: undefined }, kind: 'question', gone: new AbortController().signal })
        .then((end) => {
          begun.push(name)
          ends.set(name, end)
        })
      await settle()
    },
    end: async (name: string) => {
      ends.get(name)!()
      await settle()
    },
    leave: async (name: string) => {
      goners.get(name)!.abort(new Error('gone'))
      await settle()
    },
  }
}

test('a key has so many questions at once, and the next begins when one ends', async () => {
  const { ask, begun, end } = room()
  await ask('a', 'a', 'a', 'a')
  expect(begun).toEqual(['a1', 'a2', 'a3'])
  await end('a2')
  expect(begun).toEqual(['a1', 'a2', 'a3', 'a4'])
})

test('a key without an account has more, and dry runs have a number of their own', async () => {
  const { askUnbound, begun } = room()
  for (let n = 0; n < 5; n++) await askUnbound('u')
  expect(begun).toEqual(['u1', 'u2', 'u3', 'u4'])
  const other = room()
  for (let n = 0; n < 3; n++) await other.askAs('a', 'dryRun', 'acme')
  await other.ask('a')
  expect(other.begun).toEqual(['a1', 'a2', 'a4'])
})

test('keys take turns, however many questions of one wait', async () => {
  const { ask, begun, end } = room({ ...LIMITS, atOnceMax: 2 })
  await ask('a', 'a', 'a', 'a', 'a', 'b', 'c', 'b')
  expect(begun).toEqual(['a1', 'a2'])
  // Not as they came (a3, a4, a5, b6), and not one key to its end.
  const inTurns = ['a1', 'a2', 'a3', 'b6', 'c7', 'a4', 'b8', 'a5']
  for (const [at, name] of inTurns.entries()) {
    expect(begun).toEqual(inTurns.slice(0, at + 2))
    await end(name)
  }
})

test('a key that asks again after each answer waits for one turn of each other, and no longer', async () => {
  const { ask, begun, end } = room({ ...LIMITS, atOnceMax: 1 })
  await ask('a', 'a', 'a', 'a', 'b')
  await end('a1')
  expect(begun).toEqual(['a1', 'a2'])
  await end('a2')
  expect(begun).toEqual(['a1', 'a2', 'b5'])
  await ask('b')
  await end('b5')
  expect(begun).toEqual(['a1', 'a2', 'b5', 'a3'])
  await end('a3')
  expect(begun).toEqual(['a1', 'a2', 'b5', 'a3', 'b6'])
})

test('a key that has as many as it may is passed over, and keeps its turn', async () => {
  const { ask, begun, end } = room({ ...LIMITS, atOnceMax: 4, boundMax: 2 })
  await ask('a', 'a', 'a', 'b', 'b', 'b', 'c')
  expect(begun).toEqual(['a1', 'a2', 'b4', 'b5'])
  await end('b4')
  expect(begun.slice(4)).toEqual(['b6'])
  await end('b5')
  expect(begun.slice(4)).toEqual(['b6', 'c7'])
  await end('a1')
  expect(begun.slice(4)).toEqual(['b6', 'c7', 'a3'])
})

test('more than may wait are refused at once, and those that have waited for too long', async () => {
  const { ask, begun, failed } = room()
  await ask(...Array<string>(3 + QUESTIONS_WAITING_MAX).fill('a'))
  expect([begun.length, failed]).toEqual([3, []])
  await ask('a')
  expect(failed).toEqual(['a24 request/too_many_questions'])
  await ask('b')
  expect(begun).toHaveLength(4)
  await vi.advanceTimersByTimeAsync(QUESTION_WAIT_MS - 1)
  expect(failed).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(failed).toHaveLength(1 + QUESTIONS_WAITING_MAX)
})

test('one whose client has gone waits no more, and takes nobody a turn', async () => {
  const { ask, begun, failed, end, leave } = room({ ...LIMITS, boundMax: 1 })
  await ask('a', 'a', 'a')
  await leave('a2')
  expect(failed).toEqual(['a2 gone'])
  await end('a1')
  expect(begun).toEqual(['a1', 'a3'])
  await end('a3')
  await ask('a')
  expect(begun).toHaveLength(3)
})
