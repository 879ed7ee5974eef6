import { addClaim, type Claims, componentOf, type KeptEvent, priceAt, quantityOf, textOf } from './claims.ts'
import type { PriceTable } from './prices.ts'

const HOUR_MS = 3_600_000

interface Span {
  readonly account: string
  readonly project: string | null
  readonly region: string | null
  readonly bytes: bigint
  readonly from: number
  readonly to: number
}

export interface Stored {
  readonly events: readonly KeptEvent[]
  /** The first hour that is not settled. */
  readonly until: number
  /** From when on closed accounts store nothing, in milliseconds since 1970. */
  readonly closings: ReadonlyMap<string, number>
}

/**
 * Add what was stored, hour by hour: each level lasts until the next one of its account, project, dataset and
 * region, the last one until `until`; none longer than until its account was closed.
 */
export function addStoredClaims(
  claims: Claims,
  table: PriceTable,
  { events, until, closings }: Stored,
): void {
  const rates = table.rates.filter(({ component }) => component === 'storage')
  for (const { bytes, from, to: end, ...place } of spansOf(table, events, until * HOUR_MS)) {
    const to = Math.min(end, closings.get(place.account) ?? end)
    for (let at = from; at < to; at = nextHour(at)) {
      const usageHour = Math.floor(at / HOUR_MS)
      const quantity = bytes * BigInt(Math.min(nextHour(at), to) - at)
      for (const rate of rates) {
        const price = priceAt(rate, usageHour)
        if (price === undefined || price === 'unknown') continue
        addClaim(claims, { ...place, usageHour, rate, operation: null, quantity, waived: 0n })
      }
    }
  }
}

function nextHour(at: number): number {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS
}

function spansOf(table: PriceTable, events: readonly KeptEvent[], end: number): readonly Span[] {
  const series = new Map<
    string,
    { at: number; source: string; id: string; data: Record<string, unknown> }[]
  >()
  for (const event of events) {
    if (componentOf(table, event.type) !== 'storage') continue
    const data = JSON.parse(event.data) as Record<string, unknown>
    const place = ['project', 'dataset', 'region'].map((field) => textOf(data[field]))
    const name = JSON.stringify([event.account, ...place])
    series.set(name, [...(series.get(name) ?? []), { ...event, data }])
  }
  return [...series].flatMap(([name, levels]) => {
    const [account] = JSON.parse(name) as [string]
    levels.sort((a, b) => a.at - b.at || bytesFirst(a.source, b.source) || bytesFirst(a.id, b.id))
    return levels.map(({ at, data }, index) => ({
      account,
      project: textOf(data['project']),
      region: textOf(data['region']),
      bytes: quantityOf(data['bytes']),
      from: at,
      to: Math.min(levels[index + 1]?.at ?? end, end),
    }))
  })
}

/** By UTF-8 bytes: UTF-16 has another order above U+FFFF. */
export function bytesFirst(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
