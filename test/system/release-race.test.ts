import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hour, startOf } from '../../src/core/time/hour.ts'
import { createIngest } from '../../src/flows/ingest/ingest.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { voidEvents } from '../../src/flows/voids/void-events.ts'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { makePool } from '../../src/store/connect.ts'
import { type Deployment, quiet } from './deployment.ts'
import {
  ALWAYS,
  BOOK,
  deployedWith,
  item,
  price,
  publish,
  thisHour,
  usage,
  withItems,
} from './price-versions.ts'

// Guarantee: while events come in, hours are sealed and settled, and versions are published that cover more and more,
// no event stays held that the newest version covers, and each is billed exactly once, or voided exactly once.

const WRITERS = 3
const HOURS = 30
const OPERATIONS = 12
const now = thisHour()
const first = (now - HOURS) as Hour

/** Version `number` charges the operations Op2 to Op<number>. */
function versionOf(number: number) {
  const operations = Array.from({ length: number - 1 }, (_, at) => `Op${at + 2}`)
  return withItems({ Ops: item('request', { operations, per: 1, prices: [price(ALWAYS, '1')] }) })
}

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployedWith(BOOK, first)
  // Between its rows and its commit each writer lingers, so that hours would be sealed, and versions published, meanwhile.
  await deployed.pool.query(`
    create function linger() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(0.05);
      return null;
    end $$;
    create trigger linger after insert on usage_event for each statement execute function linger()`)
})
afterAll(() => deployed.close())

test('events, publications, sealers and voids race; each event is billed once or voided once', async () => {
  let frontier = (first + 1) as Hour
  let sent = 0
  const voided: string[] = []
  const hasReached = (hour: number) => frontier >= hour
  const isOver = () => hasReached(now - 2)
  const settler = async () => {
    while (!isOver()) {
      frontier = (frontier + 1) as Hour
      await deployed.settle({ graceMs: Date.now() - startOf(frontier), backfillQuietMs: 200 })
    }
  }
  const publisher = async () => {
    for (let number = 2; number <= OPERATIONS; number++) {
      const answer = await publish(deployed, versionOf(number))
      if (!answer.ok) throw new Error(answer.detail)
      // In step with the hours, so that each version finds events that are held in open, sealed and settled ones.
      const until = first + Math.ceil((HOURS * number) / (OPERATIONS + 2))
      while (!isOver() && !hasReached(until)) await sleep(20)
    }
  }
  const writer = async (name: string) => {
    const pool = makePool(deployed.connection, { max: 3 })
    const ingest = await createIngest({ pool, log: quiet })
    const hours: Hour[] = []
    for (let batch = 0; !isOver(); batch++) {
      const hour = frontier
      const events = Array.from({ length: OPERATIONS - 1 }, (_, at) =>
        usage(`${name}-${batch}-${at}`, hour - 1 + (at % 3), { operation: `Op${at + 2}` }),
      )
      const submitted = await ingest.submit(
        events.map((raw) => ({ raw })),
        undefined,
      )
      if (!submitted.ok) throw new Error(submitted.detail)
      const taken = submitted.results.filter(({ outcome }) => outcome === 'accepted' || outcome === 'held')
      if (taken.length !== events.length) throw new Error(JSON.stringify(submitted.results))
      sent += events.length
      hours.push((hour - 1 + (5 % 3)) as Hour)
      // Some batches later one of its events is voided, twice at once: it may be held, released or billed by then.
      const older = batch - 4
      if (older >= 0 && older % 3 === 0) await voidTwice(`${name}-${older}-5`, hours[older]!)
    }
    await ingest.close()
    await pool.end()
  }
  const voidTwice = async (id: string, hour: Hour) => {
    const key = { hour, bucket: bucketOf('acme'), account: 'acme', id, source: 'test' }
    const order = { actor: 'key_test', reason: 'a race', what: 'of a race' }
    const both = await Promise.all([0, 1].map(() => voidEvents(deployed.pool, order, [key])))
    expect(both.map(({ decisions, already }) => decisions.length + already)).toEqual([1, 1])
    expect(both.flatMap(({ decisions }) => decisions)).toHaveLength(1)
    voided.push(id)
  }
  const writers = Array.from({ length: WRITERS }, (_, number) => writer(`w${number}`))
  await Promise.all([settler(), settler(), publisher(), ...writers])
  // The open hour holds what was released too late for its own.
  await deployed.settle({ graceMs: -3_600_000, backfillQuietMs: 0 })

  expect((await deployed.pool.query('select from held_event')).rowCount).toBe(0)
  const { rowCount: released } = await deployed.pool.query('select from released_event')
  expect([released! > 0, voided.length > 0]).toEqual([true, true])
  const lines = (await deployed.billsOf('acme')).flatMap((bill) => bill.lines)
  const billed = new Map<string, bigint>()
  for (const { operation, quantity } of lines)
    billed.set(operation!, (billed.get(operation!) ?? 0n) + BigInt(quantity))
  const each = BigInt(sent / (OPERATIONS - 1))
  const expected = Array.from({ length: OPERATIONS - 1 }, (_, at) => {
    return [`Op${at + 2}`, at === 5 ? each - BigInt(voided.length) : each] as const
  })
  expect(Object.fromEntries(billed)).toEqual(Object.fromEntries(expected))
  const differences: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(deployed.pool, all)) differences.push(one)
  expect(differences).toEqual([])
}, 120_000)
