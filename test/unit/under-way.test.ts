import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeIngestMemory } from '../../src/flows/ingest/ingest-events.ts'
import { UnderWay } from '../../src/flows/ingest/under-way.ts'

// Guarantee: what may be a repeat waits for the transactions that may be storing it, in whichever thread, and for no
// others.

/** As two threads see it. */
function threads(): readonly [UnderWay, UnderWay] {
  const { underWay } = makeIngestMemory()
  return [new UnderWay(underWay), new UnderWay(underWay)]
}

test('who suspects nothing waits for nobody, nor does who suspects a group that has ended', async () => {
  const [one, other] = threads()
  const [ended] = [one.begin(), one.begin()]
  one.end(ended!)
  await other.waitFor(new Set())
  await other.waitFor(new Set([ended!]))
})

test('a suspect waits until the groups with its like have ended, and not for the next ones in their places', async () => {
  const [one, other] = threads()
  const groups = [one.begin(), other.begin()]
  const steps: string[] = []
  const waited = other.waitFor(new Set(groups)).then(() => steps.push('waited'))
  for (const [index, name] of groups.entries()) {
    await sleep(20)
    steps.push(`${index} ends`)
    one.end(name)
    const next = one.begin()
    // Once more: it is not the next one that ends.
    one.end(name)
    expect(other.has(next)).toBe(true)
  }
  await waited
  expect(steps).toEqual(['0 ends', '1 ends', 'waited'])
})

test('groups at one moment have different names, as have a place and its next groups', () => {
  const [one, other] = threads()
  const atOnce = Array.from({ length: 15 }, (_, index) => (index % 2 ? one : other).begin())
  expect(new Set(atOnce).size).toBe(15)
  const names = new Set(atOnce)
  for (let turn = 0; turn < 1_000; turn++) {
    const name = one.begin()
    expect(names.has(name)).toBe(false)
    names.add(name)
    one.end(name)
  }
})
