import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from '../../src/core/text/canonical-json.ts'
import { migrate } from '../../src/store/migrate.ts'
import { insertBillMonth } from '../../src/store/bills.ts'
import { insertEventTable } from '../../src/store/usage-events.ts'
import { lockFirstStart, updateSealedUntil } from '../../src/store/deployment.ts'
import { run } from '../../src/store/query.ts'
import type { Hour } from '../../src/core/time/hour.ts'
import { audit } from '../simulation/auditor.ts'
import { differences, graceUntil, IDENTITY_WINDOW_MS, settleAll, started } from '../simulation/drive.ts'
import { priceTable } from '../simulation/prices.ts'
import { type Settle, startWorker, type Worker } from '../simulation/process.ts'
import type { Deployment } from './deployment.ts'

// Guarantee: a process that is stopped (SIGSTOP) in the middle of anything is overtaken by the others within 30 s. When
// it goes on it doubles nothing.

const OVERTAKEN_MS = 30_000
/** Processes take their time to start where others are at work: that is not what is measured. */
const TEST_MS = 300_000
const HOUR_MS = 3_600_000
const firstHour = Math.floor(Date.now() / HOUR_MS) - 3
const table = priceTable(firstHour)

const workers: Worker[] = []
const worker = async (...args: Parameters<typeof startWorker>) => {
  const one = await startWorker(...args)
  workers.push(one)
  return one
}
afterAll(() => {
  for (const { process } of workers) process.kill('SIGKILL')
})

function settler(until: number): Settle {
  const graceMs = graceUntil(until)
  return { role: 'settle', graceMs, backfillQuietMs: 0, identityWindowMs: IDENTITY_WINDOW_MS }
}

function calls(prefix: string, hour: number, count: number): readonly Json[] {
  return Array.from({ length: count }, (_, index) => ({
    specversion: '1.0',
    id: `${prefix}-${index}`,
    source: 's',
    type: 'farthing.request',
    subject: `account-${index % 50}`,
    time: new Date(hour * HOUR_MS + index * 1_000).toISOString(),
    data: { operation: 'Search', status: 200 },
  }))
}

const inTransaction = (statement: string) => ['begin', statement]

/** The work, or an error when it has taken too long. */
async function within<T>(work: Promise<T>): Promise<T> {
  const late = sleep(OVERTAKEN_MS, undefined, { ref: false }).then((): never => {
    throw new Error(`not overtaken within ${OVERTAKEN_MS} ms`)
  })
  return Promise.race([work, late])
}

describe('with a writer stopped before its commit, with the gate, and a settler in the middle of a COPY, with a claim', () => {
  let deployed: Deployment
  beforeAll(async () => {
    deployed = await started(firstHour, table)
  })
  afterAll(() => deployed.close())

  test(
    'others store the same events and settle the same hour; afterwards nothing is doubled',
    async () => {
      const { connection, pool, send } = deployed
      const hour = firstHour
      expect(new Set(await send(calls('early', hour, 200)))).toEqual(new Set(['accepted']))
      const claiming = await worker(connection, settler(hour + 1), 'copy bill (')
      await claiming.stopped
      const events = calls('same', hour + 1, 600)
      const storing = await worker(connection, { role: 'deliver', events }, 'insert_events')
      await storing.stopped
      const { rows } = await pool.query<{ state: string }>(
        `select state from pg_stat_activity
          where datname = current_database() and query like '%insert_events%' and pid <> pg_backend_pid()`,
      )
      expect(rows).toEqual([{ state: 'idle in transaction' }])

      // One that has the same events, and one that seals the next hour, behind the gate that the writer holds.
      const again = await worker(connection, { role: 'deliver', events })
      const settling = await worker(connection, settler(hour + 2))
      const isSettled = async () => {
        for (;;) {
          const found = await pool.query<{ done: boolean }>(
            `select settled_until >= $1 as done from deployment`,
            [hour + 2],
          )
          if (found.rows[0]!.done) return
          await sleep(50)
        }
      }
      const [stored] = await within(Promise.all([again.stop(), isSettled()]))
      expect(new Set(stored.outcomes)).toEqual(new Set(['accepted']))

      claiming.process.kill('SIGCONT')
      storing.process.kill('SIGCONT')
      const [lateDuplicate, lateClaim] = await Promise.all([
        storing.stop(),
        sleep(500).then(() => claiming.stop()),
      ])
      expect(lateDuplicate.repeats).toBeGreaterThan(0)
      expect(new Set(lateDuplicate.outcomes)).toEqual(new Set(['duplicate']))
      expect(lateClaim.failures).toBeGreaterThan(0)
      await settling.stop()
      await settleAll(deployed)
      const { findings, events: counted } = await audit(pool, table, IDENTITY_WINDOW_MS / HOUR_MS)
      expect([counted, findings]).toEqual([800, []])
      expect(await differences(pool)).toEqual([])
    },
    TEST_MS,
  )
})

describe('with processes stopped while they hold a lock', () => {
  let deployed: Deployment
  beforeAll(async () => {
    deployed = await started(firstHour, table)
  })
  afterAll(() => deployed.close())

  const farDay = Math.floor(firstHour / 24) - 400

  test(
    'anyone who needs the lock gets it, and the stopped one is told',
    async () => {
      const { connection, pool } = deployed
      const CASES: readonly (readonly [string, readonly string[], () => Promise<unknown>])[] = [
        [
          'the gate',
          inTransaction('select pg_advisory_xact_lock_shared(7001)'),
          () => deployed.settle({ graceMs: graceUntil(firstHour + 1) }),
        ],
        [
          'the partitions',
          inTransaction(`select add_event_table(${farDay * 24})`),
          async () => {
            await run(pool, insertEventTable, { hour: (farDay * 24) as Hour })
            await run(pool, insertBillMonth, { hour: ((farDay + 60) * 24) as Hour })
          },
        ],
        [
          'the first start',
          inTransaction(`select pg_advisory_xact_lock(hashtext('farthing.first_start'))`),
          () => run(pool, lockFirstStart, undefined),
        ],
        [
          'the migrations, in a session',
          [`select pg_advisory_lock(hashtext('farthing.migrations'))`],
          () => migrate(connection),
        ],
        [
          'the row of the deployment',
          inTransaction('update deployment set settled_until = settled_until'),
          () => run(pool, updateSealedUntil, { to: (firstHour + 1) as Hour }),
        ],
      ]
      const holders = await Promise.all(
        CASES.map(([, statements]) => worker(connection, { role: 'hold', statements })),
      )
      await Promise.all(holders.map(({ stopped }) => stopped))
      // A process that is alive, and has nothing else to do than to be there.
      const alive = await worker(connection, settler(firstHour))
      await within(
        Promise.all(
          CASES.map(([name, , need]) =>
            need().catch((error: unknown) => Promise.reject(new Error(name, { cause: error }))),
          ),
        ),
      )
      for (const { process } of holders) process.kill('SIGCONT')
      const done = await Promise.all(holders.map((holder) => holder.stop()))
      expect(CASES.map(([name], index) => [name, done[index]!.ended])).toEqual(
        CASES.map(([name]) => [name, true]),
      )
      await alive.stop()
    },
    TEST_MS,
  )
})
