import { type Decimal, isNegative, plain, plus, ZERO } from '../../money/decimal.ts'
import type { Hour } from '../../time/hour.ts'
import type { EffectiveTerm } from './account-prices.ts'
import { price, type Priced, unitPriceOf } from './price.ts'
import { type TierPart, tierParts } from './tier-parts.ts'
import type { Rate } from '../price-book/price-book.ts'

/** A rate of an account, in the hours in which its usage counts through the same tiers. */
export interface Stretch extends Pick<Rate, 'component' | 'item' | 'rate'> {
  readonly from: Hour
}

export interface StretchPosition {
  readonly stretch: Stretch
  /** Base units that the account has used in it. */
  readonly position: Decimal
}

/** How much an account has used in each stretch, by `stretchName`; one that is missing begins at 0. */
export type Positions = ReadonlyMap<string, StretchPosition>

/** U+0000 occurs in no part. */
export function stretchName({ component, item, rate, from }: Stretch): string {
  return `${component}\0${item}\0${rate}\0${from}`
}

/** What is used of one rate. */
export interface Used {
  readonly rate: Rate
  readonly quantity: Decimal
  readonly waived: Decimal
}

/** What lies in one tier, with its price. Quantities, prices and amounts are plain decimals. */
export interface PricedPart extends Priced {
  readonly waived: string
  readonly listPrice: string
  readonly priceList: string | null
  readonly tier: number | null
  readonly listTier: number | null
  readonly position: string | null
  readonly stretchFrom: Hour | null
}

/** The stretch of a rate in an hour; undefined: no price of it has tiers there. */
export function stretchOf(
  { component, item, rate }: Rate,
  { stretchFrom }: EffectiveTerm,
): Stretch | undefined {
  return stretchFrom === null ? undefined : { component, item, rate, from: stretchFrom }
}

/** Where the account is in the stretch before this, and after it; undefined: no tiers count it. */
export function moveOf(
  positions: readonly Positions[],
  { rate, quantity }: Used,
  terms: EffectiveTerm,
): { readonly name: string; readonly before: Decimal; readonly after: StretchPosition } | undefined {
  const stretch = stretchOf(rate, terms)
  if (stretch === undefined) return undefined
  const name = stretchName(stretch)
  const found = positions.find((each) => each.has(name))
  const before = found?.get(name)?.position ?? ZERO
  return { name, before, after: { stretch, position: plus(before, quantity) } }
}

/** What is used, cut at the steps of its prices: the lowest tier first, and what is waived on the first part. */
export function partsAt(positions: Positions, used: Used, terms: EffectiveTerm): readonly PricedPart[] {
  return partsFrom(moveOf([positions], used, terms)?.before, used, terms)
}

/** @param before undefined: no tiers count it */
export function partsFrom(
  before: Decimal | undefined,
  { rate, quantity, waived }: Used,
  terms: EffectiveTerm,
): readonly PricedPart[] {
  const cut = tierParts(terms, before ?? ZERO, quantity)
  const ascending = isNegative(quantity) ? cut.toReversed() : cut
  return ascending.map((part, index) => ({
    ...price(rate, part.cost, part.quantity),
    waived: index === 0 ? plain(waived) : '0',
    listPrice: plain(unitPriceOf(part.listCost)),
    priceList: terms.priceList,
    tier: part.tier,
    listTier: part.listTier,
    position: before === undefined ? null : plain(part.position),
    stretchFrom: terms.stretchFrom,
  }))
}

/** What is used at one public price for every unit: nearly every line of nearly every bill. */
export function flatPart({ rate, quantity, waived }: Used, cost: TierPart['cost']): PricedPart {
  const priced = price(rate, cost, quantity)
  return {
    ...priced,
    waived: plain(waived),
    listPrice: priced.unitPrice,
    priceList: null,
    tier: null,
    listTier: null,
    position: null,
    stretchFrom: null,
  }
}
