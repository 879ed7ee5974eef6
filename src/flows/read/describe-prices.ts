import { bucketOf } from '../../core/ingest/bucket.ts'
import type { Minimum } from '../../core/rate/price-list/price-list.ts'
import { type WaitingTiers, waitingTiers } from '../../core/rate/rating/waiting-tiers.ts'
import { type Hour, hourOf, startOf } from '../../core/time/hour.ts'
import { monthOf, type ZoneHistory } from '../../core/time/zone-history.ts'
import type { Month } from '../../core/time/zone-month.ts'
import { type AccountList, listAccountLists } from '../../store/price-lists.ts'
import { run, type Sql } from '../../store/query.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { findFirstOpenHour } from '../shared/first-open-hour.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { loadPricing } from '../accounts/account-pricing.ts'
import { offsetAt } from '../accounts/time-zones.ts'

/** What follows for an account from the price lists that it is on. */
export interface DescribedPrices {
  readonly waiting: readonly WaitingTiers[]
  /** In force in the next hour that has not begun. */
  readonly minimum: MinimumInForce | undefined
}

export interface MinimumInForce extends Minimum {
  readonly list: string
  /** The first month for which it is due. */
  readonly fromMonth: Month
}

/** Which tiers of an account wait for its next month, and what it owes each month at least. */
export async function describePrices(
  sql: Sql,
  account: string,
  zones: ZoneHistory,
): Promise<DescribedPrices> {
  const open = await findFirstOpenHour(sql, await readWatermarks(sql))
  const { book, lists } = await bookOf(sql, null)
  const accounts = [{ bucket: bucketOf(account), account }]
  const pricing = await loadPricing(sql, { book, lists, hour: open, accounts })
  const waiting = waitingTiers(pricing.pricesOf(account), open)
  const assigned = (await run(sql, listAccountLists, [account])).findLast(({ from }) => from <= open)
  const list = assigned?.list ? lists.get(assigned.list) : undefined
  const minimum = list?.minimums.findLast(({ from }) => from <= open)
  if (!assigned || !list || !minimum) return { waiting, minimum: undefined }
  return {
    waiting,
    minimum: { ...minimum, list: list.name, fromMonth: firstMonth(assigned, minimum, zones) },
  }
}

/** From the month in which the assignment was made, never earlier. */
function firstMonth({ from, assignedAt }: AccountList, minimum: Minimum, zones: ZoneHistory): Month {
  const months = [from, hourOf(assignedAt), minimum.from].map((hour: Hour) =>
    monthOf(zones, startOf(hour), offsetAt),
  )
  return Math.max(...months) as Month
}
