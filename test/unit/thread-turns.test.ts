import { expect, test } from 'vitest'
import { ThreadTurns } from '../../src/flows/shared/thread-turns.ts'

// Guarantee: long work, however much of it goes on at once, lets small requests have their turn between its steps.

const STEP_MS = 2
const STEPS = 30

/** Rounds of the event loop, counted as a request would notice them. */
function countRounds(): { readonly rounds: () => number; readonly stop: () => void } {
  let rounds = 0
  let stopped = false
  const round = () => {
    rounds += 1
    if (!stopped) setImmediate(round)
  }
  setImmediate(round)
  return { rounds: () => rounds, stop: () => void (stopped = true) }
}

function work(): void {
  for (const from = performance.now(); performance.now() - from < STEP_MS;);
}

/** @returns the round in which each step was done */
async function longWork(rounds: () => number, wait: () => Promise<void> | undefined): Promise<number[]> {
  const seen: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const turn = wait()
    if (turn) await turn
    seen.push(rounds())
    work()
  }
  return seen
}

test('steps that are longer than a turn have rounds of their own, however much of their kind goes on', async () => {
  const turns = new ThreadTurns()
  const { rounds, stop } = countRounds()
  const all = await Promise.all([
    longWork(rounds, () => turns.isOver()),
    longWork(rounds, () => turns.isOver()),
    longWork(rounds, () => turns.next()),
  ])
  stop()
  // The first steps may begin within one turn.
  const later = all.flatMap((seen) => seen.slice(1))
  // A turn lasts longer after a long wait, so where the machine is busy some steps share a round. Without turns all do.
  expect(new Set(later).size).toBeGreaterThan((2 / 3) * later.length)
})

test('a crowd of another kind does not keep long work waiting: both go on by turns', async () => {
  const [crowd, few] = [new ThreadTurns(), new ThreadTurns()]
  let crowdLeft = 2 * STEPS
  const waiting = Array.from({ length: crowdLeft }, async () => {
    await crowd.next()
    crowdLeft -= 1
  })
  await longWork(
    () => 0,
    () => few.next(),
  )
  expect(crowdLeft).toBeGreaterThan(0)
  await Promise.all(waiting)
})

test('a turn lasts for a share of what it was waited for: short steps need not wait for each', async () => {
  const turns = new ThreadTurns()
  const turn = turns.next()
  for (let step = 0; step < 5 * STEPS; step++) work()
  await turn
  work()
  expect(turns.isOver()).toBeUndefined()
})
