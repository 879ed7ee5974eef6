import type { Books } from './books.ts'
import { priceAt } from './claims.ts'
import { fixed } from './fixed-point.ts'
import type { ListTable } from './price-lists.ts'
import type { Cost, PricedRate, PriceTable } from './prices.ts'

/** What one side of a line costs: the price that is paid, or the public one. A flat price is one step without an end. */
export interface Side {
  /** In 10^-12 base units, and in 10^-16 of a currency unit. */
  readonly steps: readonly { readonly upTo: bigint | undefined; readonly price: bigint }[]
  readonly isTiered: boolean
  readonly list: string | null
  /** Tells it from every other price. */
  readonly name: string
}

/** What an account owes for a rate in an hour. */
export interface Owed {
  readonly paid: Side
  readonly open: Side
  /** Undefined: no price has tiers. */
  readonly stretchFrom: number | undefined
}

export type OwedFor = (account: string, rate: PricedRate, hour: number) => Owed | undefined

const HOUR_MS = 3_600_000
/** A zone is no further than this from UTC. */
const ZONE_HOURS = 15
const SHARE_UNIT = 10_000n

/**
 * What accounts owe, hour by hour through their months: each month is walked from its first hour on, and a price stays as it
 * is while it has tiers and the next one has others.
 */
export function owedFor({ zones, assigned }: Books, table: PriceTable): OwedFor {
  const starts = monthStarts(zones)
  const months = new Map<string, Map<number, Owed>>()
  const walkMonth = (account: string, rate: PricedRate, first: number, last: number) => {
    const hours = new Map<number, Owed>()
    let paid: Since = { side: undefined, since: first }
    let open: Since = { side: undefined, since: first }
    for (let hour = first; hour < last; hour++) {
      const publicly = publicSide(rate, hour)
      const list = (assigned.get(account) ?? []).findLast(({ from }) => from <= hour)?.list ?? null
      paid = stepped(paid, listedSide(table, list, rate, hour, publicly), hour)
      open = stepped(open, publicly, hour)
      if (!paid.side || !open.side) continue
      const since = Math.max(paid.since, open.since)
      const stretchFrom = paid.side.isTiered ? paid.since : open.side.isTiered ? since : undefined
      hours.set(hour, { paid: paid.side, open: open.side, stretchFrom })
    }
    return hours
  }
  return (account, rate, hour) => {
    const [first, last] = starts(account, hour)
    const name = JSON.stringify([account, rate.item, rate.rate, first])
    let month = months.get(name)
    if (month === undefined) months.set(name, (month = walkMonth(account, rate, first, last)))
    return month.get(hour)
  }
}

interface Since {
  readonly side: Side | undefined
  readonly since: number
}

function stepped(before: Since, side: Side | undefined, hour: number): Since {
  if (before.side?.isTiered && side?.isTiered) return before
  return before.side?.name === side?.name ? before : { side, since: hour }
}

const NOTHING_OFF = 0n

function publicSide(rate: PricedRate, hour: number): Side | undefined {
  const cost = priceAt(rate, hour)
  return cost === undefined || cost === 'unknown' ? undefined : sideOf(cost, NOTHING_OFF, null)
}

/** The list's own price, else the public one less the discount. What is free stays so, unless the list says otherwise. */
function listedSide(
  { lists }: PriceTable,
  name: string | null,
  rate: PricedRate,
  hour: number,
  publicly: Side | undefined,
): Side | undefined {
  if (name === null || publicly === undefined) return publicly
  const { discounts, rates } = lists[name]!
  const own = rates
    .find((one) => one.item === rate.item && one.rate === rate.rate)
    ?.terms.findLast(([from]) => from <= hour)
  const cost = priceAt(rate, hour)!
  if (cost === 'free' && own?.[2] !== true) return sideOf('free', NOTHING_OFF, name)
  return own ? sideOf(own[1], NOTHING_OFF, name) : sideOf(cost, shareAt(discounts, hour), name)
}

function shareAt(discounts: ListTable['discounts'], hour: number): bigint {
  const share = discounts.findLast(([from]) => from <= hour)?.[1]
  return share === undefined ? NOTHING_OFF : fixed(share, 4)
}

const sides = new Map<string, Side>()

function sideOf(cost: Cost, share: bigint, list: string | null): Side {
  const key = JSON.stringify([cost, String(share), list])
  let side = sides.get(key)
  if (side === undefined) sides.set(key, (side = newSide(cost, share, list)))
  return side
}

function newSide(cost: Cost, share: bigint, list: string | null): Side {
  const left = (price: string) => fixed(price) * (SHARE_UNIT - share)
  const isTiered = typeof cost !== 'string'
  const rows = isTiered ? cost : [{ price: cost === 'free' ? '0' : cost }]
  const steps = rows.map(({ upTo, price }) => ({
    upTo: upTo === undefined ? undefined : fixed(upTo),
    price: left(price),
  }))
  const written = steps.map(({ upTo, price }) => `${price} up to ${upTo ?? 'ever'}`)
  const name = [list ?? '', cost === 'free' ? 'free' : isTiered ? 'tiers' : 'price', ...written].join('\n')
  return { steps, isTiered, list, name }
}

/** The first hours of the month that an hour of an account is in, and of the next one. */
function monthStarts(zones: Books['zones']): (account: string, hour: number) => readonly [number, number] {
  const known = new Map<string, number>()
  const startOf = (account: string, month: number) => {
    const key = JSON.stringify([account, month])
    let start = known.get(key)
    if (start === undefined) {
      const zone =
        zones.get(account)?.findLast(({ fromMonth }) => fromMonth <= monthText(month))?.zone ?? 'UTC'
      known.set(key, (start = firstHour(zone, month)))
    }
    return start
  }
  return (account, hour) => {
    const date = new Date(hour * HOUR_MS)
    let month = date.getUTCFullYear() * 12 + date.getUTCMonth() + 1
    while (startOf(account, month) > hour) month -= 1
    return [startOf(account, month), startOf(account, month + 1)]
  }
}

function firstHour(zone: string, month: number): number {
  const calendar = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', month: 'numeric' })
  const middle = Date.UTC(Math.floor(month / 12), month % 12) / HOUR_MS
  let hour = middle - ZONE_HOURS
  while (monthShown(calendar, hour) < month) hour += 1
  return hour
}

function monthShown(calendar: Intl.DateTimeFormat, hour: number): number {
  const parts = calendar.formatToParts(hour * HOUR_MS)
  const [year, month] = ['year', 'month'].map((type) =>
    Number(parts.find((part) => part.type === type)!.value),
  )
  return year! * 12 + month! - 1
}

/** In the order of time as text, too. */
function monthText(month: number): string {
  return new Date(Date.UTC(Math.floor(month / 12), month % 12)).toISOString().slice(0, 7)
}
