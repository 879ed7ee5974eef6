import { afterAll, beforeAll, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hour } from '../../src/core/time/hour.ts'
import { audit } from '../simulation/auditor.ts'
import { differences, graceUntil, settleAll, started } from '../simulation/drive.ts'
import { priceTable } from '../simulation/prices.ts'
import { startWorker } from '../simulation/process.ts'
import type { Deployment } from './deployment.ts'

// Guarantee: with writers in several processes at full speed, while hours are sealed and settled under their feet as
// fast as that goes, every event that was accepted is in exactly one bill. Without the gate some are in none.

const RACE_MS = 4_000
/** So many hours can be sealed one by one before the current one; after it late usage meets its own seals. */
const HOURS = 100
const ACCOUNTS = ['acme', 'borealis', 'cumulus', 'delta', 'eolus']
const currentHour = Math.floor(Date.now() / 3_600_000)
const firstHour = (currentHour - HOURS) as Hour
const table = priceTable(firstHour)

let deployed: Deployment
beforeAll(async () => {
  deployed = await started(firstHour, table)
})
afterAll(() => deployed.close())

/** Events that are billed, by account and usage hour. */
async function billed(): Promise<Readonly<Record<string, number>>> {
  const { rows } = await deployed.pool.query<{ name: string; calls: number }>(
    `select account || ' ' || usage_hour as name, sum(quantity)::int as calls
       from bill_line where item = 'Calls' group by 1`,
  )
  return Object.fromEntries(rows.map(({ name, calls }) => [name, calls]))
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const [name, count] of counts.flatMap((some) => Object.entries(some))) {
    sums[name] = (sums[name] ?? 0) + count
  }
  return sums
}

/** Seals and settles one hour after the other until it is told to stop. */
function startSealing(): { stop(): Promise<void> } {
  const told = { stop: false }
  const sealing = (async () => {
    for (let hour = firstHour + 1; !told.stop; hour++) {
      await deployed.settle({ graceMs: graceUntil(hour), backfillQuietMs: 500 })
    }
  })()
  return {
    stop() {
      told.stop = true
      return sealing
    },
  }
}

test('writers and a sealer at full speed: each accepted event is in exactly one bill', async () => {
  const work = { role: 'write', accounts: ACCOUNTS, senders: 2, batch: 60 } as const
  const writers = await Promise.all(
    ['w', 'x'].map((name) => startWorker(deployed.connection, { ...work, name })),
  )
  const sealer = startSealing()
  await sleep(RACE_MS)
  const done = await Promise.all(writers.map((writer) => writer.stop()))
  await sealer.stop()
  await settleAll(deployed)
  const accepted = sumOf(done.map((writer) => writer.accepted))
  const { findings, corrections, events } = await audit(deployed.pool, table, 0)
  expect(total(accepted)).toBeGreaterThan(1_000)
  expect(events).toBe(total(accepted))
  expect(await billed()).toEqual(accepted)
  expect(findings).toEqual([])
  expect(corrections).toBeGreaterThan(0)
  expect(await differences(deployed.pool)).toEqual([])
})
