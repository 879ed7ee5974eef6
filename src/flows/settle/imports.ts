import type pg from 'pg'
import { formatHourStart, type Hour } from '../../core/time/hour.ts'
import { findImport } from '../../store/backfill-hours.ts'
import { runOne, type Sql } from '../../store/query.ts'
import { HISTORY_SEAL_MAX, sealBackfill } from './seal-hours.ts'

/** An import names itself with each delivery, so that its backfill need not wait for the quiet time when it ends. */
export const IMPORT_NAME = /^[A-Za-z0-9-]{8,64}$/

export interface ImportStatus {
  /** Account-hours that will have their bills in a moment. */
  readonly settling: number
  /** Account-hours that are open still, because others wrote to them too, or because the import goes on. */
  readonly open: number
  /** Some of those that others wrote to. */
  readonly shared: readonly { readonly account: string; readonly hour: string }[]
}

/** The import has ended: seal the past hours that it alone wrote to. Others are sealed when they have been quiet. */
export async function endImport(pool: pg.Pool, name: string): Promise<ImportStatus> {
  while ((await sealBackfill(pool, 0, name)) === HISTORY_SEAL_MAX);
  return importStatus(pool, name)
}

/** How much of an import has no bill yet. Nothing left means that every past hour of it is settled. */
export async function importStatus(sql: Sql, name: string): Promise<ImportStatus> {
  const state = await runOne(sql, findImport, { writer: name })
  const shared = state!.sharedHours.map(({ account, hour }) => ({
    account,
    hour: formatHourStart(hour as Hour),
  }))
  return { settling: state!.sealed, open: state!.own + state!.shared, shared }
}
