import type pg from 'pg'
import { startOf, type Hour, next } from '../../src/core/time/hour.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { verify } from '../../src/flows/verify/verify.ts'
import { type Connection, makePool } from '../../src/store/connect.ts'
import { quiet } from '../run/scratch-server.ts'
import { cpuSeconds, doTasks } from '../run/tasks.ts'

export interface Settled {
  /** Hours of which this process settled something. */
  readonly hours: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** The most memory that this process has had so far. */
  readonly rssMib: number
}

export interface SettleTask {
  /** The last hour that is due: the grace period is chosen so. */
  readonly hour: Hour
  /** Transactions at once; undefined: as the server. */
  readonly lanes?: number
}

let pool: pg.Pool

// Settlement as the server runs it, in a process that does nothing else, so that its memory can be told.
doTasks(
  {
    connect({ connection }: { readonly connection: Connection }) {
      pool = makePool(connection, { log: quiet })
    },
    settle,
    verify: verifyHour,
  },
  () => pool.end(),
)

async function settle({ hour, lanes }: SettleTask): Promise<Settled> {
  const graceMs = Date.now() - startOf(next(hour))
  const settings = {
    graceMs,
    backfillQuietMs: 30_000,
    identityWindowMs: 62 * 86_400_000,
    ...(lanes && { lanes }),
  }
  return measured(() => settlePass({ pool, ...settings, stopping: () => false }))
}

async function verifyHour({ hour }: { readonly hour: Hour }): Promise<Settled> {
  return measured(async () => {
    for await (const { place, detail } of verify(pool, { from: hour, to: next(hour), onProgress() {} })) {
      throw new Error(`verify: ${place}: ${detail}`)
    }
    return 1
  })
}

async function measured(work: () => Promise<number>): Promise<Settled> {
  const before = { ms: performance.now(), cpu: cpuSeconds() }
  const hours = await work()
  const seconds = (performance.now() - before.ms) / 1000
  const rssMib = process.resourceUsage().maxRSS / 1024
  return { hours, seconds, cpuSeconds: cpuSeconds() - before.cpu, rssMib }
}
