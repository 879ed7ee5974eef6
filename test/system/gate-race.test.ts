import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { type Hour, hourOf, startOf } from '../../src/core/time/hour.ts'
import { formatInstant, type Instant } from '../../src/core/time/instant.ts'
import { createIngest } from '../../src/flows/ingest/ingest-events.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { makePool } from '../../src/store/connect.ts'
import { type Deployment, deployment, quiet } from './deployment.ts'

// Guarantee: with writers and two settlers at full speed, while hours are sealed under the writers' feet, every
// event that was accepted is in exactly one bill.

const WRITERS = 3
const BATCH = 20
const HOURS = 30
const ACCOUNTS = ['acme', 'borealis', 'cumulus', 'delta']
const now = hourOf(Date.now() as Instant)
const first = (now - HOURS) as Hour

let deployed: Deployment
beforeAll(async () => {
  deployed = await deployment(first)
  // Between its rows and its commit each writer lingers, so that hours are sealed and settled meanwhile.
  await deployed.pool.query(`
    create function linger() returns trigger language plpgsql as $$
    begin
      perform pg_sleep(0.15);
      return null;
    end $$;
    create trigger linger after insert on usage_event for each statement execute function linger()`)
})
afterAll(() => deployed.close())

/** Usage of the hour that is being sealed, and of the next two. */
function batchOf(prefix: string, frontier: Hour): readonly Json[] {
  return Array.from({ length: BATCH }, (_, index) => ({
    specversion: '1.0',
    id: `${prefix}-${index}`,
    source: 'race',
    type: 'farthing.request',
    subject: ACCOUNTS[index % ACCOUNTS.length]!,
    time: formatInstant((startOf((frontier - 1 + (index % 3)) as Hour) + index * 1_000) as Instant),
    data: { operation: 'SimpleQuery', status: 200 },
  }))
}

test('writers and sealers race; no event is lost or doubled', async () => {
  const { connection, settle } = deployed
  let frontier = (first + 1) as Hour
  const settler = async () => {
    while (frontier < now - 2) {
      frontier = (frontier + 1) as Hour
      // Each pass seals one more hour, whatever the writers are doing.
      await settle({ graceMs: Date.now() - startOf(frontier), historyQuietMs: 200 })
    }
  }
  const writer = async (number: number) => {
    const pool = makePool(connection, { max: 3 })
    const ingest = await createIngest({ pool, log: quiet })
    let accepted = 0
    for (let batch = 0; frontier < now - 2; batch++) {
      const events = batchOf(`${number}-${batch}`, frontier).map((raw) => ({ raw }))
      const submitted = await ingest.submit(events, undefined)
      if (!submitted.ok) throw new Error(submitted.detail)
      accepted += submitted.results.filter(({ outcome }) => outcome === 'accepted').length
      sent += BATCH
    }
    await ingest.close()
    await pool.end()
    return accepted
  }
  let sent = 0
  const writers = Array.from({ length: WRITERS }, (_, number) => writer(number))
  await Promise.all([settler(), settler()])
  const accepted = await Promise.all(writers)
  // The open hour holds what came too late.
  await settle({ graceMs: -3_600_000, historyQuietMs: 0 })

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
