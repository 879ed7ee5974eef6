import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { runOne, type Sql } from '../../store/query.ts'
import { findLatestUsageHour } from '../../store/usage-events.ts'

/** The first hour that has not begun, has not been sealed, and has no usage yet. */
export async function findFirstOpenHour(sql: Sql, { now, sealedUntil }: Watermarks): Promise<Hour> {
  const open = Math.max(next(hourOf(now)), sealedUntil) as Hour
  const latest = await runOne(sql, findLatestUsageHour, { from: open })
  return latest === undefined ? open : next(latest)
}
