import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { remark } from '../../src/cli/terminal/terminal.ts'
import { ENTRY } from '../../src/core/log/entry.ts'
import { type Hour, hourOf } from '../../src/core/time/hour.ts'
import type { Instant } from '../../src/core/time/instant.ts'
import { appendPending } from '../../src/flows/log/append-pending.ts'
import { signCheckpoints } from '../../src/flows/log/sign-checkpoints.ts'
import { makeSigningKey } from '../../src/flows/log/signing-key.ts'
import { findBillProof } from '../../src/flows/read/read-log.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { drawChunk, insertPendingLeaves } from '../../src/store/log-pending.ts'
import { run, runOne } from '../../src/store/query.ts'
import type { BenchOptions } from '../options.ts'
import type { Part } from '../report.ts'
import type { Cleanup } from '../run/cleanup.ts'
import { loadHour } from '../run/load-hour.ts'
import { type ScratchServer, startScratchServer } from '../run/scratch-server.ts'

const BILLS = 1_000_000
const ACCOUNTS = 10_000
/** Bills of one row that waits, as settlement writes them. */
const TOGETHER = 2_000
const PROOFS = 300
const SETTLED = { events: 200_000, accounts: 20_000 }
const SETTLED_HOURS = 3

/** What the transparency log costs: appending bills, a proof, and what settlement does for it. */
export async function benchLog(options: BenchOptions, cleanup: Cleanup): Promise<readonly Part[]> {
  const firstHour = (hourOf(Date.now() as Instant) - SETTLED_HOURS - 1) as Hour
  const server = await startScratchServer(firstHour, cleanup)
  const settled = await settleCost(server, firstHour)
  const bills = options.events ?? BILLS
  remark(`log: ${bills.toLocaleString('en')} bills are appended`)
  await fillPending(server, bills)
  const seconds = await append(server)
  const { pool } = server
  const proofs: number[] = []
  for (let number = 0; number < PROOFS; number++) {
    const bill = { account: `account-${(number * 7_919) % ACCOUNTS}`, hour: hourAt(number % 50) }
    const began = performance.now()
    if (!(await findBillProof(pool, { ...bill, since: 1_000 }))) throw new Error('a bill has no proof')
    proofs.push(performance.now() - began)
  }
  return [
    {
      title: 'The transparency log',
      figures: [
        {
          name: 'of settling an hour, for the log',
          unit: '%',
          samples: settled.map((share) => 100 * share),
          target: 'at most 5',
        },
        {
          name: `${bills.toLocaleString('en')} bills appended and signed`,
          unit: 's',
          samples: [seconds],
          target: 'under 30',
        },
        { name: 'the proof of a bill', unit: 'ms', samples: proofs, target: 'under 20' },
      ],
    },
  ]
}

/** Which share of the time of settling hours goes by in the statements for the log: of the same run, so noise is in both. */
async function settleCost(server: ScratchServer, firstHour: Hour): Promise<readonly number[]> {
  const shares: number[] = []
  for (let index = 0; index < SETTLED_HOURS; index++) {
    const hour = (firstHour + index) as Hour
    remark(`log: an hour of ${SETTLED.events.toLocaleString('en')} events is settled`)
    await loadHour(server, { hour, seed: index, ...SETTLED })
  }
  await server.pool.query('vacuum (analyze) usage_event')
  const watch = watched(server.pool)
  for (let index = 0; index < SETTLED_HOURS; index++) {
    const began = performance.now()
    watch.ms = 0
    const graceMs = Date.now() - (firstHour + index + 1) * 3_600_000 - 1_000
    const pass = { graceMs, backfillQuietMs: 0, identityWindowMs: 3_600_000, stopping: () => false, lanes: 1 }
    await settlePass({ ...pass, pool: watch.pool })
    shares.push(watch.ms / (performance.now() - began))
  }
  return shares
}

/** A pool that adds up the time of the statements for the log. */
function watched(pool: ScratchServer['pool']) {
  const watch = { pool, ms: 0 }
  const timed = (target: { query: (...args: never[]) => unknown }) => {
    const query = target.query.bind(target) as (...args: unknown[]) => unknown
    return async (...args: unknown[]) => {
      const isLog = typeof args[0] === 'string' && /^\/\* \w*(?:pending|chunk)/.test(args[0])
      if (!isLog) return query(...args)
      const began = performance.now()
      const result = await query(...args)
      watch.ms += performance.now() - began
      return result
    }
  }
  const connect = async () => {
    const client = await pool.connect()
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query')
          return (first: unknown, ...rest: unknown[]) =>
            typeof first === 'string' ? timed(target)(first, ...rest) : target.query(first as never)
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
  watch.pool = new Proxy(pool, {
    get: (target, name) => {
      if (name === 'connect') return connect
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return watch
}

function hourAt(index: number): Hour {
  return (400_000 + index) as Hour
}

async function fillPending({ pool }: ScratchServer, bills: number): Promise<void> {
  for (let from = 0; from < bills; from += TOGETHER) {
    const numbers = Array.from({ length: Math.min(TOGETHER, bills - from) }, (_, at) => from + at)
    const digests = Buffer.concat(
      numbers.map((number) => createHash('sha256').update(`bill ${number}`).digest()),
    )
    await run(pool, insertPendingLeaves, {
      chunk: (await runOne(pool, drawChunk, undefined))!,
      kind: ENTRY.bill,
      hour: hourAt(Math.floor(from / ACCOUNTS)),
      accounts: numbers.map((number) => `account-${number % ACCOUNTS}`),
      numbers: numbers.map((number) => Math.floor(number / ACCOUNTS) + 1),
      digests,
    })
  }
}

async function append({ pool, dataDir }: ScratchServer): Promise<number> {
  const made = makeSigningKey(join(dataDir, 'bench-log-key'))
  if (!made.ok) throw new Error(made.detail)
  const identity = { origin: 'bench.example/log', keys: [made.key] }
  const began = performance.now()
  while ((await appendPending(pool, identity)).leaves > 0);
  await pool.query(`update log_checkpoint set at = at - interval '2 minutes'`)
  await appendPending(pool, identity)
  await signCheckpoints(pool, identity)
  return (performance.now() - began) / 1_000
}
