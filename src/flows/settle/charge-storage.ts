import { addCharged, addStored, type Tally } from '../../core/bill/tally.ts'
import { groupBy } from '../../core/group-by.ts'
import { invariant } from '../../core/invariant.ts'
import {
  compareLevels,
  integrate,
  type Level,
  placeName,
  seriesName,
  withoutLevels,
} from '../../core/meter/level.ts'
import { integrateHours } from '../../core/meter/level-hours.ts'
import { decimal, isNegative, isZero, minus, times } from '../../core/money/decimal.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { endOf, type Hour, hourOf, MILLISECONDS_PER_HOUR, startOf } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { listChargedStorage } from '../../store/bill-lines.ts'
import { listLevels, type Place } from '../../store/storage-levels.ts'
import { findSeriesBytes, type StorageTotal } from '../../store/storage-totals.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { releasingLocks } from '../../store/transaction.ts'

export interface ChargeStorage extends SettledAccount {
  /** The cycle that is settled. */
  readonly hour: Hour
  /** Its events' levels, which may lie in older hours. */
  readonly announced: readonly Level[]
  /** Levels of settled events that the cycle voids. */
  readonly withdrawn: readonly Level[]
  /**
   * Levels of settled events: in force at the start of the cycle, and any within it. Or what they sum up to by place, where
   * every settled level is older than the cycle, as it is when a live hour is settled.
   */
  readonly known: readonly Level[] | CarriedStorage
  /** Look again at hours from here on, because their levels or prices became known; undefined: not so. */
  readonly restatedFrom: Hour | undefined
  /** May another bill have charged this hour's storage already? Only where the hour is not live. */
  readonly isLate: boolean
  /** See nothing that was settled at this step of the account or after it; null: see all. */
  readonly beforeStep: number | null
}

/** What an account stores when a cycle begins, as sums over its series. */
export interface CarriedStorage {
  readonly carried: readonly StorageTotal[]
}

/** Is there anything? */
export function isStoring(known: ChargeStorage['known']): boolean {
  return ('carried' in known ? known.carried : known).length > 0
}

/**
 * Add to a tally what an account stored in the cycle (R9, R10), and what levels that became known change in older
 * hours: what should be charged there, minus what its bills say so far.
 */
export async function chargeStorage(
  sql: Sql,
  book: PriceBook,
  tally: Tally,
  charge: ChargeStorage,
): Promise<void> {
  const { hour, announced, withdrawn, isLate, known } = charge
  const changed = [...announced, ...withdrawn]
  const from = oldest([hour, charge.restatedFrom ?? hour, ...changed.map(({ at }) => hourOf(at))])
  if (from === hour && 'carried' in known) return addCarried(sql, book, tally, charge, known)
  // A late level or a void changes the lines of its own project and region alone.
  const isOfAll = from === hour || isLate || charge.restatedFrom !== undefined
  const places = isOfAll ? null : [...new Map(changed.map((level) => [placeName(level), level])).values()]
  if (places !== null) addOthers(book, tally, charge, new Set(places.map(placeName)))
  const before = from === hour && !('carried' in known) ? known : await levelsFrom(sql, charge, from, places)
  const all = [...withoutLevels(before, withdrawn), ...announced].sort(compareLevels)
  if (all.length === 0 && withdrawn.length === 0 && charge.restatedFrom === undefined) return
  // Where a price was filled, `from` may be long before anything was stored.
  const first = Math.max(from, oldest([hour, ...all.map(({ at }) => hourOf(at))])) as Hour
  for (const { hour: at, ...stored } of integrateHours(all, first, hour)) addStored(tally, book, at, stored)
  if (from < hour || isLate) {
    await releasingLocks(sql, () => subtractCharged(sql, book, tally, charge, { from, places }))
  }
}

/** The cycle's own hour, of the places in which nothing older has changed. */
function addOthers(
  book: PriceBook,
  tally: Tally,
  { hour, known }: ChargeStorage,
  changed: ReadonlySet<string>,
): void {
  if ('carried' in known) {
    for (const place of known.carried) if (!changed.has(placeName(place))) addWhole(book, tally, hour, place)
    return
  }
  const others = known.filter((level) => !changed.has(placeName(level)))
  for (const stored of integrate(others.toSorted(compareLevels), hour)) addStored(tally, book, hour, stored)
}

/** What did not change for an hour. */
function addWhole(
  book: PriceBook,
  tally: Tally,
  hour: Hour,
  place: Omit<StorageTotal, keyof SettledAccount>,
) {
  const { project, region, bytes } = place
  if (isZero(bytes)) return
  const quantity = times(bytes, decimal(String(MILLISECONDS_PER_HOUR)))
  addStored(tally, book, hour, { project, region, quantity })
}

/** The hour of series that do not change is their sum; those that change are integrated apart, from what they stored before. */
async function addCarried(
  sql: Sql,
  book: PriceBook,
  tally: Tally,
  { hour, bucket, account, announced }: ChargeStorage,
  { carried }: CarriedStorage,
): Promise<void> {
  const series = [...new Map(announced.map((level) => [seriesName(level), level])).values()]
  const keys = series.map((level) => ({ ...level, bucket, account }))
  const found = keys.length === 0 ? [] : await run(sql, findSeriesBytes, keys)
  const before = found.map(({ index, bytes }): Level => {
    return { ...series[index]!, at: (startOf(hour) - 1) as Instant, source: '', id: '', bytes }
  })
  const changing = groupBy(before, placeName)
  for (const place of carried) {
    const changed = changing.get(placeName(place)) ?? []
    const bytes = changed.reduce((rest, level) => minus(rest, level.bytes), place.bytes)
    invariant(!isNegative(bytes), 'a place stores at least what its series store')
    addWhole(book, tally, hour, { ...place, bytes })
  }
  for (const stored of integrate([...before, ...announced].sort(compareLevels), hour)) {
    addStored(tally, book, hour, stored)
  }
}

async function levelsFrom(
  sql: Sql,
  charge: ChargeStorage,
  from: Hour,
  places: readonly Place[] | null,
): Promise<readonly Level[]> {
  const { bucket, account, beforeStep, hour } = charge
  const accounts = [{ account, step: beforeStep ?? Number.MAX_SAFE_INTEGER }]
  return run(sql, listLevels, { buckets: [bucket], from: startOf(from), to: endOf(hour), accounts, places })
}

async function subtractCharged(
  sql: Sql,
  book: PriceBook,
  tally: Tally,
  { bucket, account, hour, beforeStep }: ChargeStorage,
  of: { readonly from: Hour; readonly places: readonly Place[] | null },
): Promise<void> {
  const range = { bucket, account, to: (hour + 1) as Hour, beforeStep, ...of }
  for (const charged of await run(sql, listChargedStorage, range)) addCharged(tally, book, charged)
}

function oldest(hours: readonly Hour[]): Hour {
  return hours.reduce((a, b) => (b < a ? b : a))
}

/** The levels of many accounts around one hour, by account: one question for a whole chunk. */
export async function knownLevels(
  sql: Sql,
  hour: Hour,
  buckets: readonly number[],
  accounts: readonly { readonly account: string; readonly step: number }[] | null,
): Promise<ReadonlyMap<string, readonly Level[]>> {
  const range = { from: startOf(hour), to: endOf(hour) }
  return groupBy(
    await run(sql, listLevels, { buckets, ...range, accounts, places: null }),
    ({ account }) => account,
  )
}
