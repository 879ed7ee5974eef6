import { expect, test } from 'vitest'
import { nextTurn, turnIsOver } from '../../src/flows/thread-turns.ts'

// Guarantee: long work, however much of it goes on at once, lets small requests have their turn between its steps.

const STEP_MS = 2
const STEPS = 30

/** Rounds of the event loop, counted as a request would notice them. */
function countRounds(): { readonly rounds: () => number; stop(): void } {
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

test('each step that is longer than a turn has a round of its own, also beside other long work', async () => {
  const { rounds, stop } = countRounds()
  const all = await Promise.all([
    longWork(rounds, turnIsOver),
    longWork(rounds, turnIsOver),
    longWork(rounds, nextTurn),
  ])
  stop()
  // The first steps may begin within one turn.
  const later = all.flatMap((seen) => seen.slice(1))
  expect(new Set(later).size).toBe(later.length)
})

test('short steps share a turn: work alone does not wait for each', async () => {
  await nextTurn()
  const waits = Array.from({ length: 20 }, turnIsOver).filter((turn) => turn !== undefined)
  expect(waits.length).toBeLessThan(20)
})
