import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { createIngest } from '../../src/flows/ingest-events.ts'
import { verify } from '../../src/flows/verify.ts'
import { makePool } from '../../src/store/connect.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

// Guarantee: with writers and two settlers at full speed, while hours are sealed under the writers' feet, every
// event that was accepted is in exactly one bill.

const WRITERS = 3
const BATCHES = 40
const BATCH = 50
const HOURS = 40
const ACCOUNTS = ['acme', 'borealis', 'cumulus', 'delta']
const now = hourOf(Date.now() as Instant)
const first = (now - HOURS) as Hour

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(first)
})
afterAll(() => deployed.close())

/** Usage around the hour that is about to be sealed: some in time, some too late. */
function batchOf(writer: number, batch: number): readonly Json[] {
  return Array.from({ length: BATCH }, (_, index) => {
    const hour = (first + Math.min(HOURS - 1, Math.max(0, batch - 1 + (index % 4)))) as Hour
    return {
      specversion: '1.0',
      id: `${writer}-${batch}-${index}`,
      source: 'race',
      type: 'farthing.request',
      subject: ACCOUNTS[index % ACCOUNTS.length]!,
      time: formatInstant((startOf(hour) + index * 1_000) as Instant),
      data: { operation: 'SimpleQuery', status: 200 },
    }
  })
}

test('writers and sealers race; no event is lost or doubled', async () => {
  const { connection, settle } = deployed
  let writing = true
  let sealed = 0
  const settler = async () => {
    while (writing) {
      // Each pass seals one more hour, whatever the writers are doing.
      const graceMs = Date.now() - startOf((first + Math.min(HOURS - 1, ++sealed)) as Hour)
      await settle({ graceMs, historyQuietMs: 200 })
    }
  }
  const writer = async (number: number) => {
    const pool = makePool(connection, { max: 3 })
    const ingest = await createIngest({ pool, log: quiet })
    let accepted = 0
    for (let batch = 0; batch < BATCHES; batch++) {
      const submitted = await ingest.submit(
        batchOf(number, batch).map((raw) => ({ raw })),
        undefined,
      )
      if (!submitted.ok) throw new Error(submitted.detail)
      accepted += submitted.results.filter(({ outcome }) => outcome === 'accepted').length
    }
    await ingest.close()
    await pool.end()
    return accepted
  }
  const settlers = [settler(), settler()]
  const accepted = await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)))
  writing = false
  await Promise.all(settlers)
  // The open hour holds what came too late.
  await settle({ graceMs: -3_600_000, historyQuietMs: 0 })

  const sent = WRITERS * BATCHES * BATCH
  expect(accepted.reduce((a, b) => a + b)).toBe(sent)
  const bills = (await Promise.all(ACCOUNTS.map((account) => deployed.billsOf(account)))).flat()
  const billed = bills.flatMap(({ lines }) => lines).reduce((sum, { quantity }) => sum + BigInt(quantity), 0n)
  expect(billed).toBe(BigInt(sent))
  const corrections = bills.flatMap(({ hour, lines }) => lines.filter(({ usageHour }) => usageHour !== hour))
  expect(corrections.length).toBeGreaterThan(0)
  const differences: unknown[] = []
  const all = { from: 0 as Hour, to: (2 ** 31 - 1) as Hour, onProgress: () => undefined }
  for await (const one of verify(deployed.pool, all)) differences.push(one)
  expect(differences).toEqual([])
})
