import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { psql } from '../run/psql.ts'
import type { ScratchServer } from '../run/scratch-server.ts'

const COLUMNS = 'at, received_at, hour, cycle, checksum, bucket, account, id, source, type, data, attributes'

/** Farthing's clock and the database's differ by less. */
const CLOCKS_APART_MS = 50

/** A table with the definition and keys of the events' own, for the baseline to copy into. */
export interface TwinTable {
  /** Copy the events' table of now into it, so that both are of one size. */
  fill(): Promise<void>
  /** Rows of the events' table from here on are those of `copyNewRows`. */
  mark(): Promise<void>
  /** How long psql takes to COPY what was added since the mark, from a file, in the order in which it was stored. */
  copyNewRows(rows: number): Promise<number>
}

/** @param day the one partition that all events go to, in days since 1970 */
export async function makeTwinTable(server: ScratchServer, day: number): Promise<TwinTable> {
  const { pool, connection, dataDir } = server
  const file = join(dataDir, 'rows.copy')
  let since = ''
  await pool.query('create table twin_event (like usage_event including all) partition by range (hour)')
  await pool.query('create table twin_event_day (like usage_event including all)')
  await pool.query(
    `alter table twin_event attach partition twin_event_day for values from (${day * 24}) to (${day * 24 + 24})`,
  )
  return {
    async fill() {
      await pool.query(`truncate twin_event`)
      await pool.query(`insert into twin_event (${COLUMNS}) select ${COLUMNS} from usage_event`)
      await pool.query('vacuum (analyze) usage_event, twin_event')
      await pool.query('checkpoint')
    },
    async mark() {
      const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now')
      since = rows[0]!.now
      await sleep(CLOCKS_APART_MS)
    },
    async copyNewRows(rows) {
      const stored = await countSince(pool, since)
      if (stored !== rows) throw new Error(`${rows} events were accepted, and ${stored} stored`)
      // A plain scan gives the rows as they lie, which is about as they came.
      const settings = 'set max_parallel_workers_per_gather = 0; set synchronize_seqscans = off;'
      const added = `select ${COLUMNS} from usage_event where received_at >= '${since}'`
      await psql(connection, [...settings.split(/(?<=;) /), `\\copy (${added}) to '${file}'`])
      const [seconds] = await psql(connection, [`\\copy twin_event (${COLUMNS}) from '${file}'`])
      return seconds!
    },
  }
}

async function countSince(pool: pg.Pool, since: string): Promise<number> {
  const text = 'select count(*) as rows from usage_event where received_at >= $1'
  const { rows } = await pool.query<{ rows: string }>(text, [since])
  return Number(rows[0]!.rows)
}
