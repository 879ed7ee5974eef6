import type pg from 'pg'
import { isDelayed } from '../../core/time/clock-gap.ts'
import { type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { throughGate } from '../../store/gate.ts'
import { insertCycles } from '../../store/cycles.ts'
import { insertRestatedAccounts } from '../../store/late-hours.ts'
import type { AccountHourKey } from '../../store/key-columns.ts'
import { type ClockWatchRow, findClockWatch } from '../../store/clock.ts'
import { findOpenBackfill, updateSealedBackfillHours } from '../../store/backfill-hours.ts'
import { type Watermarks, updateSealedUntil, findWatermarks } from '../../store/deployment.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { lateCycle } from '../../core/time/late-cycle.ts'

/** Backfill account-hours sealed in one hold of the gate, at most: it is held for milliseconds. */
export const HISTORY_SEAL_MAX = 1_000

/** Is this reading of the database clock to be trusted? (clock-watch.ts) */
export type Accepts = (now: Instant) => boolean

export interface SealDue {
  readonly pool: pg.Pool
  /** Live hours are sealed this long after their end. */
  readonly graceMs: number
  /** Backfill is sealed when it was not touched for this long; 0: at once. */
  readonly backfillQuietMs: number
  /** Undefined: this process has not watched the clock. An alarm raised by others counts all the same. */
  readonly accepts?: Accepts | undefined
}

/** Seal all that is due. */
export async function sealDue({ pool, graceMs, backfillQuietMs, accepts }: SealDue): Promise<void> {
  await sealHours(pool, graceMs, accepts)
  while ((await sealBackfill(pool, backfillQuietMs, null, accepts)) === HISTORY_SEAL_MAX);
}

/**
 * Seal every live hour whose end is at least the grace period ago, by the database's clock. Sealed is not settled:
 * from here on the events of those hours cannot change, and their bills are made without the gate.
 * @returns how many hours were sealed
 */
export async function sealHours(pool: pg.Pool, graceMs: number, accepts?: Accepts): Promise<number> {
  const before = await runOne(pool, findWatermarks, undefined)
  if (!before || dueUntil(before, graceMs) <= before.sealedUntil) return 0
  if (!(await maySealLive(pool, before, accepts))) return 0
  return throughGate(pool, 'alone', async (client, watermarks) => {
    // The watermarks as they are behind the gate: another process may have sealed meanwhile.
    if (!(await maySealLive(client, watermarks, accepts))) return 0
    const to = dueUntil(watermarks, graceMs)
    if (to <= watermarks.sealedUntil) return 0
    await run(client, insertCycles, { from: watermarks.sealedUntil, to })
    await run(client, updateSealedUntil, { to })
    return to - watermarks.sealedUntil
  })
}

/** The first hour that is not due: hours before it ended at least the grace period ago. */
function dueUntil({ now }: Watermarks, graceMs: number): Hour {
  return hourOf((now - graceMs) as Instant)
}

/**
 * Seal backfill account-hours that were not touched for a while: at most 1,000 at once. What their levels change in
 * hours that were settled before becomes work of the open hour.
 * @param quietMs 0 seals all
 * @param writer only what this import alone wrote; null: no matter who wrote it
 * @returns how many were sealed; call again while it is the maximum
 */
export async function sealBackfill(
  pool: pg.Pool,
  quietMs: number,
  writer: string | null = null,
  accepts?: Accepts,
): Promise<number> {
  const [open] = await run(pool, findOpenBackfill, { quietMs })
  if (!open || !(await maySeal(pool, undefined, accepts))) return 0
  return throughGate(pool, 'alone', async (client, watermarks) => {
    if (!(await maySeal(client, watermarks, accepts))) return 0
    const sealed = await run(client, updateSealedBackfillHours, { quietMs, writer, limit: HISTORY_SEAL_MAX })
    if (sealed.length > 0) {
      await run(client, insertRestatedAccounts, { cycle: lateCycle(watermarks), keys: oldestHours(sealed) })
    }
    return sealed.length
  })
}

/** Live hours wait, besides, after a gap in which nobody has seen the clock. Backfill does not depend on what it shows. */
async function maySealLive(sql: Sql, watermarks: Watermarks, accepts: Accepts | undefined): Promise<boolean> {
  const watch = await findSealingWatch(sql, watermarks, accepts)
  return watch !== undefined && !isDelayed(watch.delay, watermarks.now)
}

async function maySeal(
  sql: Sql,
  watermarks: Watermarks | undefined,
  accepts: Accepts | undefined,
): Promise<boolean> {
  return (await findSealingWatch(sql, watermarks, accepts)) !== undefined
}

/** @returns undefined while a clock alarm is open, or if this process does not accept the reading: nothing is sealed then */
async function findSealingWatch(
  sql: Sql,
  watermarks: Watermarks | undefined,
  accepts: Accepts | undefined,
): Promise<ClockWatchRow | undefined> {
  if (watermarks && accepts && !accepts(watermarks.now)) return undefined
  const watch = await runOne(sql, findClockWatch, undefined)
  return watch?.alarm ? undefined : watch
}

/** The oldest hour of each account. */
function oldestHours(keys: readonly AccountHourKey[]): readonly AccountHourKey[] {
  const oldest = new Map<string, AccountHourKey>()
  for (const key of keys) {
    const known = oldest.get(key.account)
    if (!known || key.hour < known.hour) oldest.set(key.account, key)
  }
  return [...oldest.values()]
}
