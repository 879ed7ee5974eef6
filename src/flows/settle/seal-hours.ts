import type pg from 'pg'
import { type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { throughGate } from '../../store/gate.ts'
import { insertCycles } from '../../store/cycles.ts'
import { insertRestatedAccounts } from '../../store/late-hours.ts'
import type { AccountHourKey } from '../../store/key-columns.ts'
import { findClockWatch } from '../../store/clock.ts'
import { findOpenBackfill, updateSealedBackfillHours } from '../../store/backfill-hours.ts'
import { type Marks, updateSealedUntil, findWatermarks } from '../../store/deployment.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { lateCycle } from '../../core/time/late-cycle.ts'

/** History account-hours sealed in one hold of the gate, at most: it is held for milliseconds. */
export const HISTORY_SEAL_MAX = 1_000

/** Is this reading of the database clock to be trusted? (clock-watch.ts) */
export type Believes = (now: Instant) => boolean

export interface SealDue {
  readonly pool: pg.Pool
  /** Live hours are sealed this long after their end. */
  readonly graceMs: number
  /** History is sealed when it was not touched for this long; 0: at once. */
  readonly historyQuietMs: number
  /** Undefined: this process has not watched the clock. A doubt of others counts all the same. */
  readonly believes?: Believes | undefined
}

/** Seal all that is due. */
export async function sealDue({ pool, graceMs, historyQuietMs, believes }: SealDue): Promise<void> {
  await sealHours(pool, graceMs, believes)
  while ((await sealHistory(pool, historyQuietMs, null, believes)) === HISTORY_SEAL_MAX);
}

/**
 * Seal every live hour whose end is at least the grace period ago, by the database's clock. Sealed is not settled:
 * from here on the events of those hours cannot change, and their bills are made without the gate.
 * @returns how many hours were sealed
 */
export async function sealHours(pool: pg.Pool, graceMs: number, believes?: Believes): Promise<number> {
  const before = await runOne(pool, findWatermarks, undefined)
  if (!before || dueUntil(before, graceMs) <= before.sealedUntil) return 0
  if (!(await maySeal(pool, before, believes))) return 0
  return throughGate(pool, 'alone', async (client, marks) => {
    // The marks as they are behind the gate: another process may have sealed meanwhile.
    if (!(await maySeal(client, marks, believes))) return 0
    const to = dueUntil(marks, graceMs)
    if (to <= marks.sealedUntil) return 0
    await run(client, insertCycles, { from: marks.sealedUntil, to })
    await run(client, updateSealedUntil, { to })
    return to - marks.sealedUntil
  })
}

/** The first hour that is not due: hours before it ended at least the grace period ago. */
function dueUntil({ now }: Marks, graceMs: number): Hour {
  return hourOf((now - graceMs) as Instant)
}

/**
 * Seal history account-hours that were not touched for a while: at most 1,000 at once. What their levels change in
 * hours that were settled before becomes work of the open hour.
 * @param quietMs 0 seals all
 * @param writer only what this import alone wrote; null: anyone who wrote it
 * @returns how many were sealed; call again while it is the maximum
 */
export async function sealHistory(
  pool: pg.Pool,
  quietMs: number,
  writer: string | null = null,
  believes?: Believes,
): Promise<number> {
  const [open] = await run(pool, findOpenBackfill, { quietMs })
  if (!open || !(await maySeal(pool, undefined, believes))) return 0
  return throughGate(pool, 'alone', async (client, marks) => {
    if (!(await maySeal(client, marks, believes))) return 0
    const sealed = await run(client, updateSealedBackfillHours, { quietMs, writer, limit: HISTORY_SEAL_MAX })
    if (sealed.length > 0) {
      await run(client, insertRestatedAccounts, { cycle: lateCycle(marks), keys: oldestHours(sealed) })
    }
    return sealed.length
  })
}

/** Nothing is sealed while anyone doubts the database clock, or by a reading that this process cannot believe. */
async function maySeal(sql: Sql, marks: Marks | undefined, believes: Believes | undefined): Promise<boolean> {
  if (marks && believes && !believes(marks.now)) return false
  const watch = await runOne(sql, findClockWatch, undefined)
  return watch?.doubt === undefined
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
