import { compare, type Decimal, isNegative, isZero, minus, plus, ZERO } from '../../money/decimal.ts'
import type { Tier } from '../price-book/price-book.ts'
import type { FlatTerm, KnownTerm } from './assess.ts'

/** One price: that of a term without tiers, or of one tier. */
export type UnitCost = FlatTerm | Tier

/** The part of a quantity that lies in one tier, of the price that is paid and of the public one. */
export interface TierPart {
  /** From 1; null: the price has no tiers. */
  readonly tier: number | null
  readonly listTier: number | null
  /** How much the account had used before it. */
  readonly position: Decimal
  /** Negative where it gives back. */
  readonly quantity: Decimal
  readonly cost: UnitCost
  readonly listCost: UnitCost
}

/** What is paid, and what the public price is. */
export interface CutTerms {
  readonly term: KnownTerm
  readonly listTerm: KnownTerm
}

/**
 * Cut a quantity at the steps of its prices. Tier n covers (upTo n-1, upTo n], so with F the cost of the first n units
 * all parts together cost F(position + quantity) - F(position), before rounding: however usage is split and in which
 * order it comes, a sum of quantities costs the same. A negative quantity gives back from the position down.
 * @returns in the order in which the position passes through them; one part of 0 for a quantity of 0
 */
export function tierParts(terms: CutTerms, position: Decimal, quantity: Decimal): readonly TierPart[] {
  const end = plus(position, quantity)
  const isDown = isNegative(quantity)
  const parts: TierPart[] = []
  let at = position
  do {
    const [paid, list] = [placeAt(terms.term, at, isDown), placeAt(terms.listTerm, at, isDown)]
    const to = isDown ? larger(end, paid.above, list.above) : smaller(end, paid.upTo, list.upTo)
    parts.push({
      tier: paid.tier,
      listTier: list.tier,
      position: at,
      quantity: isZero(quantity) ? ZERO : minus(to, at),
      cost: paid.cost,
      listCost: list.cost,
    })
    at = to
  } while (compare(at, end) !== 0)
  return parts
}

interface Place {
  readonly tier: number | null
  readonly cost: UnitCost
  /** The tier covers (above, upTo]; undefined: it has no such end. */
  readonly above: Decimal | undefined
  readonly upTo: Decimal | undefined
}

/** Where the next unit above a position lies, or the last unit below it. What is below 0 belongs to the first tier. */
function placeAt(term: KnownTerm, position: Decimal, isDown: boolean): Place {
  if (term.kind !== 'tiers') return { tier: null, cost: term, above: undefined, upTo: undefined }
  const { tiers } = term
  const isWithin = ({ upTo }: Tier) =>
    upTo === undefined || (isDown ? compare(position, upTo) <= 0 : compare(position, upTo) < 0)
  const index = tiers.findIndex(isWithin)
  const cost = tiers[index]!
  return { tier: index + 1, cost, above: tiers[index - 1]?.upTo, upTo: cost.upTo }
}

function smaller(a: Decimal, ...others: readonly (Decimal | undefined)[]): Decimal {
  return others.reduce<Decimal>((least, one) => (one && compare(one, least) < 0 ? one : least), a)
}

function larger(a: Decimal, ...others: readonly (Decimal | undefined)[]): Decimal {
  return others.reduce<Decimal>((most, one) => (one && compare(one, most) > 0 ? one : most), a)
}
