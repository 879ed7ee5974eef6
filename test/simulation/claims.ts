import type { PricedRate, PriceTable } from './prices.ts'
import { fixed, UNIT } from './fixed-point.ts'

/** An event as the database keeps it. */
export interface KeptEvent {
  readonly hour: number
  /** The hour in whose bill it counts. */
  readonly cycle: number
  readonly account: string
  readonly source: string
  readonly id: string
  readonly at: number
  readonly type: string
  readonly data: string
  readonly attributes: string | null
}

/** What an account owes under one line key: quantities count 10^-12 base units. */
export interface Claim {
  readonly account: string
  readonly usageHour: number
  readonly rate: PricedRate
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  quantity: bigint
  waived: bigint
}

export type Claims = Map<string, Claim>

type Data = Readonly<Record<string, unknown>>

/** The price of a rate in an hour; undefined where it is not in force. */
export function priceAt(rate: PricedRate, hour: number): string | undefined {
  if (hour >= rate.until) return undefined
  return rate.terms.findLast(([from]) => from <= hour)?.[1]
}

export function addClaim(claims: Claims, claim: Claim): void {
  if (claim.quantity === 0n && claim.waived === 0n) return
  const name = claimName(claim)
  const before = claims.get(name)
  if (before) {
    before.quantity += claim.quantity
    before.waived += claim.waived
  } else claims.set(name, { ...claim })
}

export function claimName({ account, usageHour, rate, operation, project, region }: Claim): string {
  return JSON.stringify([account, usageHour, rate.item, rate.rate, operation, project, region])
}

/** What one event of requests or processing is charged; nothing for one that is held, has no fee, or is a level. */
export function claimsOf(table: PriceTable, event: KeptEvent): readonly Claim[] {
  const data = JSON.parse(event.data) as Data
  const component = componentOf(table, event.type)
  if (component !== 'request' && component !== 'processing') return []
  const operation = textOf(data['operation']) ?? table.types[event.type]?.operation ?? ''
  const rates = table.rates.filter(
    (rate) => rate.component === component && rate.operations.includes(operation),
  )
  const inForce = rates.filter((rate) => priceAt(rate, event.hour) !== undefined)
  if (inForce.some((rate) => priceAt(rate, event.hour) === 'unknown')) return []
  return inForce.map((rate) => {
    const amount = amountOf(rate, data)
    const billed = isBilled(rate, data)
    return {
      account: event.account,
      usageHour: event.hour,
      rate,
      operation,
      project: textOf(data['project']),
      region: textOf(data['region']),
      quantity: billed ? amount : 0n,
      waived: billed ? 0n : amount,
    }
  })
}

export function componentOf({ types }: PriceTable, type: string): string | undefined {
  return /^farthing\.(request|processing|storage)$/.exec(type)?.[1] ?? types[type]?.component
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** A quantity on the wire: a decimal text, or a whole number. */
export function quantityOf(value: unknown): bigint {
  return typeof value === 'number' ? BigInt(value) * UNIT : fixed(String(value))
}

function amountOf({ component, unit }: PricedRate, data: Data): bigint {
  if (component === 'request') return data['count'] === undefined ? UNIT : quantityOf(data['count'])
  const quantities = (data['quantities'] ?? {}) as Data
  return quantities[unit] === undefined ? 0n : quantityOf(quantities[unit])
}

function isBilled(rate: PricedRate, data: Data): boolean {
  if (rate.component === 'request') return rate.billed.includes(Math.floor(Number(data['status']) / 100))
  return data['outcome'] === undefined || data['outcome'] === 'succeeded'
}
