import { type Positions, stretchName, type StretchPosition } from '../../core/rate/rating/priced-parts.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { groupBy } from '../../core/group-by.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { type AccountPrices, publicPrices } from '../../core/rate/rating/account-prices.ts'
import type { QuotedFor } from '../../core/rate/rating/quote.ts'
import { type AccountMonths, accountMonths } from '../../core/time/account-months.ts'
import type { Hour } from '../../core/time/hour.ts'
import { listTimeZones } from '../../store/accounts.ts'
import {
  insertAccountMonths,
  listAccountMonths,
  listPositions,
  type MovedPosition,
  updatePositions,
} from '../../store/rate-positions.ts'
import { listAccountLists } from '../../store/price-lists.ts'
import type { SettledAccount } from '../../store/settled-hours.ts'
import { run, type Sql } from '../../store/query.ts'
import { offsetAt } from './time-zones.ts'

/** Usage hours so much older than the cycle may lie in a month before the last one: no month is longer, also one in which the time zone changes. */
const RECENT_HOURS = 33 * 24

/** What some accounts pay, and how far they have come through their tiers. */
export interface AccountPricing {
  pricesOf(account: string): AccountPrices
  /** @param oldest the oldest usage hour that is to be priced */
  positionsOf(sql: Sql, key: SettledAccount, oldest: Hour): Promise<Positions>
  /** Remember where a bill leaves its stretches. */
  move(key: SettledAccount, positions: Positions): void
  /** Store what was remembered, and the months that were used for the first time. */
  save(sql: Sql): Promise<void>
}

export interface LoadPricing {
  readonly book: PriceBook
  readonly lists: ReadonlyMap<string, PriceList>
  /** The cycle that is settled. */
  readonly hour: Hour
  readonly accounts: readonly SettledAccount[]
}

/** Load what decides the prices of some accounts: nothing where the version has neither tiers nor price lists. */
export async function loadPricing(sql: Sql, load: LoadPricing): Promise<AccountPricing> {
  const { book, lists, accounts, hour } = load
  if (lists.size === 0 && !hasTiers(book)) return flatPricing(book)
  const names = accounts.map(({ account }) => account)
  const zones = new Map((await run(sql, listTimeZones, names)).map((row) => [row.account, row.timeZones]))
  const stored = groupBy(await run(sql, listAccountMonths, accounts), ({ account }) => account)
  const assigned =
    lists.size === 0 ? new Map() : groupBy(await run(sql, listAccountLists, names), ({ account }) => account)
  const from = Math.max(hour - 2 * RECENT_HOURS, 0) as Hour
  const recent = groupBy(await run(sql, listPositions, { accounts, from }), ({ account }) => account)
  const months = new Map<string, AccountMonths>()
  const prices = new Map<string, AccountPrices>()
  for (const { account } of accounts) {
    const known = new Map((stored.get(account) ?? []).map(({ month, first }) => [month, first]))
    const own = accountMonths(zones.get(account) ?? [], known, offsetAt)
    months.set(account, own)
    prices.set(account, { book, lists, assigned: assigned.get(account) ?? [], monthStart: own.startOf })
  }
  const moved: MovedPosition[] = []
  return {
    pricesOf: (account) => prices.get(account)!,
    async positionsOf(each, key, oldest) {
      const isRecent = oldest >= hour - RECENT_HOURS
      if (isRecent) return byStretch(recent.get(key.account) ?? [])
      return byStretch(await run(each, listPositions, { accounts: [key], from: 0 as Hour }))
    },
    move(key, positions) {
      const { bucket, account } = key
      for (const one of positions.values()) moved.push({ bucket, account, ...one })
    },
    async save(each) {
      const first = accounts.flatMap(({ bucket, account }) =>
        [...months.get(account)!.found].map(([month, begins]) => ({ bucket, account, month, first: begins })),
      )
      if (first.length > 0) await run(each, insertAccountMonths, first)
      if (moved.length > 0) await run(each, updatePositions, moved)
    },
  }
}

/** What each of some accounts pays now, and where its bills have left it: for quotes and live usage. */
export async function loadPaid(
  sql: Sql,
  load: Omit<LoadPricing, 'accounts'>,
  names: Iterable<string>,
): Promise<(account: string) => QuotedFor> {
  const accounts = [...new Set(names)].map((account) => ({ bucket: bucketOf(account), account }))
  const pricing = await loadPricing(sql, { ...load, accounts })
  const paid = new Map<string, QuotedFor>()
  for (const key of accounts) {
    const positions = await pricing.positionsOf(sql, key, 0 as Hour)
    paid.set(key.account, { prices: pricing.pricesOf(key.account), positions })
  }
  return (account) => paid.get(account)!
}

/** Prices of a version without tiers and lists: nothing of an account decides them. */
function flatPricing(book: PriceBook): AccountPricing {
  const prices = publicPrices(book)
  const none: Positions = new Map()
  return {
    pricesOf: () => prices,
    positionsOf: async () => none,
    move: () => undefined,
    save: async () => undefined,
  }
}

const tiered = new WeakMap<PriceBook, boolean>()

/** Does any rate of the book have tiers? */
function hasTiers(book: PriceBook): boolean {
  let has = tiered.get(book)
  if (has === undefined) {
    has = book.rates.some(({ terms }) => terms.some(({ kind }) => kind === 'tiers'))
    tiered.set(book, has)
  }
  return has
}

function byStretch(positions: readonly StretchPosition[]): Positions {
  return new Map(positions.map(({ stretch, position }) => [stretchName(stretch), { stretch, position }]))
}
