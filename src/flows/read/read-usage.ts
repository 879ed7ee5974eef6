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
import { type Ranking, rankRows, rowsOf, totalOf, type UsageRow, type UsageTotal } from './usage-rows.ts'
import { type Comparison, compareUsage } from './compare-usage.ts'

export { USAGE_GROUPS, type UsageGroup } from '../../store/usage.ts'
export type { AskUsage, RangeEnd, TagFilter } from './usage-ask.ts'
export type { Ranking, UsageChange, UsageRow, UsageTotal } from './usage-rows.ts'

export interface Usage {
  readonly rows: readonly UsageRow[]
  /** Of all rows. */
  readonly total: UsageTotal
  /** Of all rows, beside those of the other period. */
  readonly comparison: Comparison | undefined
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
    const common = { places, asOf: now, currency }
    if (ask.compare !== undefined) {
      const compared = await compareUsage(sql, ask, ask.compare, places, now)
      if (!compared.ok) return compared
      const held = await readHeldUsage(sql, ask, places)
      return { ok: true, usage: { ...common, ...compared, held, rows: rankRows(compared.rows, ask) } }
    }
    const groups = ask.tags.length > 0 ? [...ask.groupBy, 'tags' as const] : ask.groupBy
    const read = await sumUsage(sql, ask, places, groups, now)
    if (!read.ok) return read
    const held = await readHeldUsage(sql, ask, places)
    const rows = rankRows(rowsOf(read.sums), ask)
    return { ok: true, usage: { ...common, rows, total: totalOf(read.sums), held, comparison: undefined } }
  })
}
