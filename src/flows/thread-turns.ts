/** Long work goes on for so long before others have a turn at the one thread. */
const TURN_MS = 0.5

let last: Promise<void> = Promise.resolve()
let turnBegan = 0

/**
 * Wait for a turn at the thread. Long pieces of work (a large body, the next part of an hour that is settled) follow each
 * other, one in each round of the event loop, so that small requests have their turn between them.
 */
export function nextTurn(): Promise<void> {
  last = last.then(() => new Promise(begin))
  return last
}

function begin(resolve: () => void): void {
  setImmediate(() => {
    turnBegan = performance.now()
    resolve()
  })
}

/** For work in many small steps: its turn goes on (undefined), or this is what it waits for before its next step. */
export function turnIsOver(): Promise<void> | undefined {
  return performance.now() - turnBegan < TURN_MS ? undefined : nextTurn()
}
