import { endOf, type Hour, hourOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type Sql, run } from '../../store/query.ts'
import { readCycles } from '../../store/queries/read-cycles.ts'
import { type Page, pageOf } from './page.ts'
import { findMarks } from '../start/read-deployment.ts'

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
}

export interface ListCycles {
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

/** The hours since the first start, newest first. A position is the hour of the last one. */
export async function listCycles(sql: Sql, { from, to, limit }: ListCycles): Promise<Page<Cycle, Hour>> {
  const { now, sealedUntil } = await findMarks(sql)
  const latest = Math.min(hourOf(now), to - 1) as Hour
  const open: Cycle[] = []
  for (let hour = latest; hour >= Math.max(sealedUntil, from) && open.length <= limit; hour = before(hour)) {
    open.push({
      hour,
      state: 'open',
      priceVersion: null,
      sealedAt: null,
      settledAt: null,
      lagMs: lag(hour, now),
    })
  }
  const rest = await run(sql, readCycles, {
    from,
    to: Math.min(to, sealedUntil) as Hour,
    limit: limit + 1 - Math.min(open.length, limit),
  })
  const cycles: Cycle[] = rest.map((cycle) => ({
    ...cycle,
    state: cycle.settledAt === null ? 'sealed' : 'settled',
    lagMs: lag(cycle.hour, cycle.settledAt ?? now),
  }))
  return pageOf([...open, ...cycles], limit, ({ hour }) => hour)
}

function lag(hour: Hour, at: Instant): number | null {
  return at < endOf(hour) ? null : at - endOf(hour)
}

function before(hour: Hour): Hour {
  return (hour - 1) as Hour
}
