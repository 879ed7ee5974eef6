import type pg from 'pg'
import { sqlState, transaction } from './transaction.ts'

/**
 * The gate (ARCHITECTURE.md): one transaction-level advisory lock. Ingest holds it shared while it decides the cycle
 * of its events and stores them; sealing hours and publishing prices hold it alone, for milliseconds. Whoever
 * holds it must read in a later statement than the one that locked, or events are lost.
 */
const GATE = 7_001

/** Whoever has waited this long takes the gate from its holder: a stopped process must not stop all others. */
export const GATE_PATIENCE_MS = 10_000
const EVICTIONS_MAX = 3
const LOCK_NOT_AVAILABLE = '55P03'

export type GateSide = 'shared' | 'alone'

const ENTER: Record<GateSide, string> = {
  shared: 'select set_config($2, $3, true), pg_advisory_xact_lock_shared($1)',
  alone: 'select set_config($2, $3, true), pg_advisory_xact_lock($1)',
}

/**
 * Run `work` in a transaction that holds the gate from its first statement to its commit. Nothing of `work` may
 * wait for the network or for a customer.
 */
export async function throughGate<Result>(
  pool: pg.Pool,
  side: GateSide,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  for (let evictions = 0; ; evictions++) {
    const attempt = await transaction(pool, async (client) => {
      if (!(await enter(client, side))) return undefined
      return { result: await work(client) }
    })
    if (attempt) return attempt.result
    if (evictions === EVICTIONS_MAX) throw new Error('the gate stays held, although its holders were ended')
    await evictHolders(pool)
  }
}

/** False when the gate was not to be had in time: the transaction is of no use then. */
async function enter(client: pg.PoolClient, side: GateSide): Promise<boolean> {
  await client.query('savepoint gate')
  try {
    await client.query(ENTER[side], [GATE, 'lock_timeout', String(GATE_PATIENCE_MS)])
    return true
  } catch (error) {
    if (sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    await client.query('rollback to savepoint gate')
    return false
  }
}

/** End the sessions that have held the gate for longer than anyone should, whatever they wait for. */
async function evictHolders(pool: pg.Pool): Promise<void> {
  await pool.query(
    `select pg_terminate_backend(a.pid)
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1::int and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and a.xact_start < clock_timestamp() - make_interval(secs => $2)`,
    [GATE, GATE_PATIENCE_MS / 1000],
  )
}
