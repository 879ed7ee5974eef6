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

test('who suspects nothing waits for nobody, nor does who suspects a group that is only read or has ended', async () => {
  const [one, other] = threads()
  const [stored, read, ended] = [one.begin(), one.begin(), one.begin()]
  one.store(stored)
  one.store(ended)
  one.end(ended)
  await other.waitFor(new Set())
  await other.waitFor(new Set([read, ended]))
  expect([stored, read, ended].map((name) => other.isStoring(name))).toEqual([true, false, false])
})

test('a suspect waits until the group with its like has ended, and is not kept by the next one in its place', async () => {
  const [one, other] = threads()
  const [first, second] = [one.begin(), other.begin()]
  one.store(first)
  other.store(second)
  const steps: string[] = []
  const waited = other.waitFor(new Set([first])).then(() => steps.push('waited'))
  await sleep(20)
  steps.push('first ends')
  one.end(first)
  one.store(one.begin())
  await waited
  expect(steps).toEqual(['first ends', 'waited'])
  expect(other.isStoring(second)).toBe(true)
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
    one.store(name)
    one.end(name)
  }
})
