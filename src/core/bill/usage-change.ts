import { type Decimal, divideRounded, isZero, minus, negated, plus, times, ZERO } from '../money/decimal.ts'

/** What was used under one line key in one period, and what it cost. */
export interface PeriodUsage {
  readonly quantity: Decimal
  readonly amount: Decimal
}

/** Why an amount differs between two periods. The parts sum to the difference exactly. */
export interface ChangeParts {
  /** More or less was used, at the average price of the period before. */
  readonly used: Decimal
  /** The same was used at another average price: other prices, tiers and lists, and what the rounding of `used` leaves. */
  readonly price: Decimal
  /** Used in this period alone, and in the one before alone. */
  readonly new: Decimal
  readonly gone: Decimal
  /** Lines that correct older hours. */
  readonly corrections: Decimal
}

export const NO_CHANGE: ChangeParts = { used: ZERO, price: ZERO, new: ZERO, gone: ZERO, corrections: ZERO }

/**
 * The parts of one line key's difference: used = (q2 - q1) x a1 / q1, half-even to 12 decimals; price is the rest. Where
 * nothing was used before, and yet something charged, there is no average price: all is price.
 */
export function changeOf(before: PeriodUsage, after: PeriodUsage): ChangeParts {
  const difference = minus(after.amount, before.amount)
  if (isNothing(before)) return { ...NO_CHANGE, new: difference }
  if (isNothing(after)) return { ...NO_CHANGE, gone: difference }
  if (isZero(before.quantity)) return { ...NO_CHANGE, price: difference }
  const more = minus(after.quantity, before.quantity)
  const used = divideRounded(times(more, before.amount), before.quantity)
  return { ...NO_CHANGE, used, price: minus(difference, used) }
}

/** Lines that correct older hours, as one part. */
export function correctionsOf(before: PeriodUsage, after: PeriodUsage): ChangeParts {
  return { ...NO_CHANGE, corrections: plus(after.amount, negated(before.amount)) }
}

export function plusParts(a: ChangeParts, b: ChangeParts): ChangeParts {
  return {
    used: plus(a.used, b.used),
    price: plus(a.price, b.price),
    new: plus(a.new, b.new),
    gone: plus(a.gone, b.gone),
    corrections: plus(a.corrections, b.corrections),
  }
}

function isNothing({ quantity, amount }: PeriodUsage): boolean {
  return isZero(quantity) && isZero(amount)
}
