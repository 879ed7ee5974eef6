import type pg from 'pg'
import { type Watermarks, findWatermarks } from './deployment.ts'
import { sqlState, transaction } from './transaction.ts'

/**
 * The gate (ARCHITECTURE.md): one transaction-level advisory lock. Ingest holds it shared while it decides the cycle
 * of its events and stores them; sealing hours and publishing prices hold it alone, for milliseconds. Anyone who
 * holds it must read in a later statement than the one that locked, or events are lost: the watermarks are read so.
 */
export const GATE = 7_001

/** Anyone who has waited this long takes the gate from its holder: a stopped process must not stop all others. */
export const GATE_PATIENCE_MS = 10_000
const EVICTIONS_MAX = 3
const LOCK_NOT_AVAILABLE = '55P03'

export type GateSide = 'shared' | 'alone'

/** Begin, lock, and read the watermarks: three statements in one message, each of which sees what was committed before it. */
const ENTER: Record<GateSide, string> = { shared: entering('_shared'), alone: entering('') }

function entering(suffix: string): string {
  return `
    begin;
    set local lock_timeout = ${GATE_PATIENCE_MS};
    select pg_advisory_xact_lock${suffix}(${GATE});
    /* ${findWatermarks.name} */ ${findWatermarks.text}`
}

/**
 * Run `work` in a transaction that holds the gate from its first statement to its commit. Nothing of `work` may
 * wait for the network or for a customer.
 * @param work is given the watermarks, as they stand behind the gate
 */
export async function throughGate<Result>(
  pool: pg.Pool,
  side: GateSide,
  work: (client: pg.PoolClient, watermarks: Watermarks) => Promise<Result>,
): Promise<Result> {
  for (let evictions = 0; ; evictions++) {
    let entered = false
    try {
      return await transaction(
        pool,
        (client, [row]) => {
          entered = true
          return work(client, watermarksOf(row))
        },
        ENTER[side],
      )
    } catch (error) {
      if (entered || sqlState(error) !== LOCK_NOT_AVAILABLE) throw error
    }
    if (evictions === EVICTIONS_MAX) throw new Error('the gate stays held, although its holders were ended')
    await evictHolders(pool)
  }
}

function watermarksOf(row: unknown): Watermarks {
  if (row === undefined) throw new Error('the database has no deployment: start Farthing first')
  return findWatermarks.decode(row as Parameters<typeof findWatermarks.decode>[0])
}

/** End the sessions that have held the gate for longer than anyone should, whatever they wait for. */
async function evictHolders(pool: pg.Pool): Promise<void> {
  await pool.query(
    `select pg_terminate_backend(a.pid)
       from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1::int and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        -- A migration keeps everyone out for as long as it takes; a stopped one is ended by heartbeat.ts.
        and a.application_name not like 'farthing-migrate %'
        and a.xact_start < clock_timestamp() - make_interval(secs => $2)`,
    [GATE, GATE_PATIENCE_MS / 1000],
  )
}
