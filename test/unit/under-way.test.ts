import { expect, test } from 'vitest'
import type { Candidate } from '../../src/flows/ingest/commit-events.ts'
import type { ReadEvent } from '../../src/flows/ingest/read-delivery.ts'
import { UnderWay } from '../../src/flows/ingest/under-way.ts'

// Guarantee: what may be a repeat waits for the transactions that may be storing it, and not for others.

function event(checksum: number): ReadEvent {
  return { checksum } as ReadEvent
}

function suspects(...checksums: readonly number[]): ReadonlySet<Candidate> {
  return new Set(checksums.map(event))
}

test('who is not suspected waits for nobody, nor does who is stored by none', async () => {
  const underWay = new UnderWay()
  void underWay.note([event(1)], new Promise(() => undefined))
  await underWay.waitFor(suspects())
  await underWay.waitFor(suspects(2, 3))
})

test('a suspect waits until the transaction with its like has ended, well or badly', async () => {
  const underWay = new UnderWay()
  const steps: string[] = []
  const ends: { readonly well: () => void; readonly badly: (error: Error) => void }[] = []
  const work = () =>
    new Promise<void>((well, badly) => {
      ends.push({ well, badly })
    })
  const first = underWay.note([event(1), event(2)], work())
  const second = underWay.note([event(2)], work())
  const waited = underWay.waitFor(suspects(2)).then(() => steps.push('waited'))
  ends[0]!.well()
  await first
  steps.push('first')
  ends[1]!.badly(new Error('the database is gone'))
  await expect(second).rejects.toThrow('the database is gone')
  await waited
  expect(steps).toEqual(['first', 'waited'])
  await underWay.waitFor(suspects(2))
})
