import { join } from 'node:path'
import type { Hour } from '../../src/core/time/hour.ts'
import { psql } from '../run/psql.ts'
import type { ScratchServer } from '../run/scratch-server.ts'

/** What the engine needs for the parts of settlement that nobody can leave out. */
export interface Baseline {
  /** Sum the hour's usage into lines, and deliver them. Seconds. */
  groupBy(hour: Hour): Promise<number>
  /** COPY the settled hour's lines and bills into tables with the same keys. Seconds. */
  copy(hour: Hour): Promise<{ readonly lines: number; readonly bills: number }>
}

/**
 * For psql, on one line. Each event's data is parsed once (`offset 0` keeps the subquery apart): json_to_record, and
 * `data::json` for each field, were slower.
 */
const GROUP_BY = `
  select account, type, data->>'operation', coalesce(data->>'status', data->>'outcome'), data->>'project',
         data->>'region', sum(coalesce((data->>'count')::numeric, 1)), sum((data->'quantities'->>'call')::numeric)
    from (select account, type, data::jsonb as data from usage_event where hour = HOUR and cycle = HOUR offset 0) e
   group by 1, 2, 3, 4, 5, 6;`.replaceAll(/\s+/g, ' ')

const BILL = `hour, bucket, account, step, sequence, issued_at, currency, demo, late, statement_month, price_version,
  total, request, processing, storage, lines, events_digest, lines_digest, digest, previous_digest`
const LINE = `hour, bucket, account, number, component, item, rate, operation, project, region, usage_hour, quantity,
  unit, waived, pricing_quantity, pricing_unit, unit_price, amount, corrects, price_version`

/** @param hours all that will be settled are in [from, to) */
export async function makeBaseline(
  server: ScratchServer,
  hours: readonly [from: Hour, to: Hour],
): Promise<Baseline> {
  const { pool, connection, dataDir } = server
  for (const table of ['bill', 'bill_line']) {
    await pool.query(`create table twin_${table} (like ${table} including all) partition by range (hour)`)
    await pool.query(`create table twin_${table}_all (like ${table} including all)`)
    const range = `from (${hours[0]}) to (${hours[1]})`
    await pool.query(`alter table twin_${table} attach partition twin_${table}_all for values ${range}`)
  }
  async function copyTable(table: string, columns: string, hour: Hour, order: string): Promise<number> {
    const file = join(dataDir, `${table}.copy`)
    const list = columns.replaceAll(/\s+/g, ' ')
    const rows = `select ${list} from ${table} where hour = ${hour} order by ${order}`
    await psql(connection, [`\\copy (${rows}) to '${file}'`])
    const [seconds] = await psql(connection, [`\\copy twin_${table} (${list}) from '${file}'`])
    return seconds!
  }
  return {
    async groupBy(hour) {
      const [seconds] = await psql(connection, [GROUP_BY.replaceAll('HOUR', String(hour))])
      return seconds!
    },
    copy: async (hour) => ({
      lines: await copyTable('bill_line', LINE, hour, 'bucket, account, number'),
      bills: await copyTable('bill', BILL, hour, 'bucket, account'),
    }),
  }
}
