import type pg from 'pg'
import { startOf, type Hour, next } from '../../src/core/time/hour.ts'
import { settlePass } from '../../src/flows/settle/settle.ts'
import { type Connection, makePool } from '../../src/store/connect.ts'
import { quiet } from '../run/scratch-server.ts'
import { cpuSeconds, doTasks } from '../run/tasks.ts'

export interface Settled {
  readonly seconds: number
  readonly cpuSeconds: number
  /** The most memory that this process has had so far. */
  readonly rssMib: number
}

let pool: pg.Pool

// Settlement as the server runs it, in a process that does nothing else, so that its memory can be told.
doTasks(
  {
    connect({ connection }: { readonly connection: Connection }) {
      pool = makePool(connection, { log: quiet })
    },
    settle,
  },
  () => pool.end(),
)

/** Settle one hour, the oldest that is due: the grace period is chosen so that it is the only one. */
async function settle({ hour }: { readonly hour: Hour }): Promise<Settled> {
  const before = { ms: performance.now(), cpu: cpuSeconds() }
  const graceMs = Date.now() - startOf(next(hour))
  const settings = { graceMs, historyQuietMs: 30_000, identityWindowMs: 62 * 86_400_000 }
  const hours = await settlePass({ pool, ...settings, stopping: () => false })
  const seconds = (performance.now() - before.ms) / 1000
  if (hours !== 1) throw new Error(`settled ${hours} hours instead of one`)
  return { seconds, cpuSeconds: cpuSeconds() - before.cpu, rssMib: process.resourceUsage().maxRSS / 1024 }
}
