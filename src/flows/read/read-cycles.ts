import { endOf, type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type Sql, run } from '../../store/query.ts'
import { countCycleBills } from '../../store/bills.ts'
import { countManifests, type ManifestCounts } from '../../store/manifests.ts'
import { listCycleRows } from '../../store/cycles.ts'
import { isInDanger, isLate } from '../settle/billing-sla.ts'
import { type Page, pageOf } from '../shared/page.ts'
import { readWatermarks } from '../shared/read-deployment.ts'

/** An hour that is or was open, and how far it is. */
export interface Cycle {
  readonly hour: Hour
  /** `open`: takes usage; `sealed`: its usage can no longer change; `settled`: its bills are issued. */
  readonly state: 'open' | 'sealed' | 'settled'
  readonly priceVersion: number | null
  readonly sealedAt: Instant | null
  readonly settledAt: Instant | null
  /** From the end of the hour until its bills: so far, if they are not issued; null while the hour lasts. */
  readonly lagMs: number | null
  /** Its bills came, or will come, later than an hour after its end. */
  readonly isLate: boolean
  /** It has no bills yet, and half of that hour is over. */
  readonly isInDanger: boolean
  /** It is sealed, and the clock has not come to its end: it was ahead, and has been set back. */
  readonly isSealedAhead: boolean
  /** Bills of all accounts, and their lines that correct older hours; null while it has none. */
  readonly bills: number | null
  readonly corrections: number | null
  /** What sources have announced, against what had arrived when it was counted last. */
  readonly manifests: Omit<ManifestCounts, 'hour'>
}

export interface ListCycles {
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

/** The hours since the first start, newest first. A position is the hour of the last one. */
export async function listCycles(sql: Sql, { from, to, limit }: ListCycles): Promise<Page<Cycle, Hour>> {
  const { now, sealedUntil } = await readWatermarks(sql)
  const latest = Math.min(hourOf(now), to - 1) as Hour
  const open: Cycle[] = []
  for (let hour = latest; hour >= Math.max(sealedUntil, from) && open.length <= limit; hour = before(hour)) {
    open.push(cycleOf({ hour, priceVersion: null, sealedAt: null, settledAt: null }, now))
  }
  const rest = await run(sql, listCycleRows, {
    from,
    to: Math.min(to, sealedUntil) as Hour,
    limit: limit + 1 - Math.min(open.length, limit),
  })
  const page = pageOf([...open, ...rest.map((cycle) => cycleOf(cycle, now))], limit, ({ hour }) => hour)
  return { ...page, items: await withManifests(sql, await withBills(sql, page.items)) }
}

const NO_MANIFESTS = { announced: 0, missing: 0, surplus: 0, uncounted: 0 }

type Standing = Pick<Cycle, 'hour' | 'priceVersion' | 'sealedAt' | 'settledAt'>

function cycleOf(standing: Standing, now: Instant): Cycle {
  const { hour, sealedAt, settledAt } = standing
  const lagMs = lag(hour, settledAt ?? now)
  return {
    ...standing,
    state: settledAt !== null ? 'settled' : sealedAt !== null ? 'sealed' : 'open',
    lagMs,
    isLate: lagMs !== null && isLate(lagMs),
    isSealedAhead: sealedAt !== null && now < endOf(hour),
    isInDanger: lagMs !== null && settledAt === null && isInDanger(lagMs),
    bills: null,
    corrections: null,
    manifests: NO_MANIFESTS,
  }
}

async function withBills(sql: Sql, cycles: readonly Cycle[]): Promise<readonly Cycle[]> {
  const hours = cycles.filter(({ state }) => state === 'settled').map(({ hour }) => hour)
  if (hours.length === 0) return cycles
  const counts = new Map((await run(sql, countCycleBills, { hours })).map((row) => [row.hour, row]))
  return cycles.map((cycle) => ({ ...cycle, ...counts.get(cycle.hour) }))
}

async function withManifests(sql: Sql, cycles: readonly Cycle[]): Promise<readonly Cycle[]> {
  if (cycles.length === 0) return cycles
  const rows = await run(sql, countManifests, { hours: cycles.map(({ hour }) => hour) })
  const counts = new Map(rows.map(({ hour, ...manifests }) => [hour, manifests]))
  return cycles.map((cycle) => ({ ...cycle, manifests: counts.get(cycle.hour) ?? NO_MANIFESTS }))
}

function lag(hour: Hour, at: Instant): number | null {
  return at < endOf(hour) ? null : at - endOf(hour)
}

function before(hour: Hour): Hour {
  return (hour - 1) as Hour
}
