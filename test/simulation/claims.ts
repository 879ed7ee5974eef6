import type { Cost, PricedRate, PriceTable } from './prices.ts'
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
export function priceAt(rate: PricedRate, hour: number): Cost | undefined {
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

/** What one event is charged, nothing if it is a level or has no fee; undefined where the table does not cover it. */
export function claimsOf(table: PriceTable, event: KeptEvent): readonly Claim[] | undefined {
  const data = JSON.parse(event.data) as Data
  const component = componentOf(table, event.type)
  if (component === 'storage') return 'bytes' in data ? [] : undefined
  if (component === undefined || (component === 'processing' && !('mode' in data))) return undefined
  const operation = textOf(data['operation']) ?? table.types[event.type]?.operation ?? ''
  const listed = table.rates.filter((rate) => rate.operations.includes(operation))
  if (listed.length === 0 && !table.free.includes(operation)) return undefined
  const rates = listed.filter((rate) => rate.component === component)
  const inForce = rates.filter((rate) => priceAt(rate, event.hour) !== undefined)
  if (rates.length > 0 && inForce.length === 0) return undefined
  const isOpen = (rate: PricedRate) =>
    priceAt(rate, event.hour) === 'unknown' || (isBilled(rate, data) && amountOf(rate, data) === undefined)
  if (inForce.some(isOpen)) return undefined
  return inForce.map((rate) => claimOf(event, operation, data, rate))
}

function claimOf(event: KeptEvent, operation: string, data: Data, rate: PricedRate): Claim {
  const amount = amountOf(rate, data) ?? 0n
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

function amountOf({ component, unit }: PricedRate, data: Data): bigint | undefined {
  if (component === 'request') return data['count'] === undefined ? UNIT : quantityOf(data['count'])
  const quantities = (data['quantities'] ?? {}) as Data
  return quantities[unit] === undefined ? undefined : quantityOf(quantities[unit])
}

function isBilled(rate: PricedRate, data: Data): boolean {
  if (rate.component === 'request') return rate.billed.includes(Math.floor(Number(data['status']) / 100))
  return data['outcome'] === undefined || data['outcome'] === 'succeeded'
}
