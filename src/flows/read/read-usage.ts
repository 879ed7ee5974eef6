import type { Instant } from '../../core/time/instant.ts'
import { lockSnapshot } from '../../store/backup.ts'
import { run } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { transaction } from '../../store/transaction.ts'
import { findDeployment, readWatermarks } from '../shared/read-deployment.ts'
import { type HeldUsage, readHeldUsage } from './held-usage.ts'
import { sumUsage } from './sum-usage.ts'
import type { AskUsage, UsageRefused } from './usage-ask.ts'
import { type Places, readPlaces } from './usage-places.ts'
import { type Ranking, rankUsage, totalOf, type UsageRow } from './usage-rows.ts'

export { USAGE_GROUPS, type UsageGroup } from '../../store/usage.ts'
export type { AskUsage, RangeEnd, TagFilter } from './usage-ask.ts'
export type { Ranking, UsageRow } from './usage-rows.ts'

export interface Usage {
  readonly rows: readonly UsageRow[]
  /** Of all rows. */
  readonly total: Pick<UsageRow, 'amount' | 'quantities'>
  readonly places: Places
  readonly held: HeldUsage
  /** The moment that all of it is of, by the database's clock. */
  readonly asOf: Instant
  readonly currency: string
}

export type ReadUsage = { readonly ok: true; readonly usage: Usage } | UsageRefused

/**
 * What an account has used, or all have, by the hour in which it happened or by the bill that has it. By hour, what is on no bill
 * yet is among it, read from the events under the newest prices. Held usage stands beside it; conflicting events count nowhere.
 */
export async function readUsage(pool: Pool, ask: AskUsage & Ranking): Promise<ReadUsage> {
  return transaction(pool, async (sql) => {
    await run(sql, lockSnapshot, undefined)
    const { now } = await readWatermarks(sql)
    const { currency } = await findDeployment(sql)
    const found = await readPlaces(sql, ask)
    if (!found.ok) return found
    const { places } = found
    const groups = ask.tags.length > 0 ? [...ask.groupBy, 'tags' as const] : ask.groupBy
    const read = await sumUsage(sql, ask, places, groups, now)
    if (!read.ok) return read
    const held = await readHeldUsage(sql, ask, places)
    const rows = rankUsage(read.sums, ask)
    return { ok: true, usage: { rows, total: totalOf(read.sums), places, held, asOf: now, currency } }
  })
}
