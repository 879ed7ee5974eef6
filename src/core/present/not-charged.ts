import type { UsageEvent } from '../ingest/event.ts'
import { plain } from '../money/decimal.ts'
import type { EffectiveTerm } from '../rate/rating/account-prices.ts'
import { type Charge, isBilled, type NoFee } from '../rate/rating/assess.ts'
import { priceWords, samePrice } from '../rate/price-book/compare/words.ts'
import { countOf, readablePer } from './readable-text.ts'

/**
 * Why nothing, or nothing more, is charged for a stored event. Codes are public API: add, never rename (docs/errors.md).
 * Held events have codes of their own.
 */
export type NotChargedCode =
  | 'not_charged/without_fee'
  | 'not_charged/other_component'
  | 'not_charged/not_in_force'
  | 'not_charged/status'
  | 'not_charged/failed'
  | 'not_charged/free'
  | 'not_charged/zero_quantity'
  | 'not_charged/level_not_in_force'
  | 'not_charged/duplicate_elsewhere'
  | 'not_charged/voided'
  | 'not_charged/netted_out'

/** A sentence, with the reason if it says why nothing is charged. */
export interface Said {
  readonly code: NotChargedCode | null
  readonly text: string
}

/** Of an event that no rate charges. */
export function saidOfNoFee(reason: Exclude<NoFee, 'level'>, { usage }: Pick<UsageEvent, 'usage'>): Said {
  const operation = usage && 'operation' in usage ? usage.operation : 'Stored data'
  const code = `not_charged/${reason}` as const
  switch (reason) {
    case 'other_component': {
      const isRequest = usage?.component === 'request'
      const [only, own] = isRequest ? ['processing', 'a request'] : ['requests', 'processing']
      const text = `${operation} is charged for ${only} only: this event reports ${own}, so it has no fee and is on no line.`
      return { code, text }
    }
    case 'not_in_force': {
      const text = `No item that charges ${operation} is in force in this hour, and the price book lists it as without a fee: it is on no line.`
      return { code, text }
    }
    case 'without_fee': {
      const why = usage?.component === 'storage' ? 'is charged by no item' : 'is known and has no fee'
      return { code, text: `${operation} ${why}: it is counted, and is on no line.` }
    }
  }
}

/** What one rate charges, and what the account pays for it. */
export interface PaidCharge {
  readonly charge: Charge
  readonly terms: Pick<EffectiveTerm, 'term' | 'listTerm' | 'priceList'>
  readonly currency: string
}

/** What one rate charges for an event, or why it charges nothing. */
export function saidOfCharge(
  { usage }: Pick<UsageEvent, 'usage'>,
  { charge, terms, currency }: PaidCharge,
): Said {
  const { rate, quantity, waived } = charge
  const { term } = terms
  const place = `${rate.item}/${rate.rate}`
  if (usage !== undefined && usage.component !== 'storage' && !isBilled(rate, usage)) {
    const [code, why] =
      usage.component === 'request'
        ? (['not_charged/status', `status ${usage.status} is not billed`] as const)
        : (['not_charged/failed', 'it failed'] as const)
    return {
      code,
      text: `${countOf(plain(waived), rate.baseUnit)} under ${place}, counted and not billed: ${why}.`,
    }
  }
  const used = `${countOf(plain(quantity), rate.baseUnit)} under ${place}`
  if (plain(quantity) === '0') {
    return { code: 'not_charged/zero_quantity', text: `${used}: nothing was used, so nothing is charged.` }
  }
  if (term.kind === 'free') {
    return { code: 'not_charged/free', text: `${used}, free ${term.reason}: nothing is charged.` }
  }
  const per = `${currency} per ${readablePer(rate.pricingUnit)}`
  if (term.kind === 'tiers') {
    return {
      code: null,
      text: `${used}, by tiers over the month: ${priceWords(term)} ${per}${listWords(terms)}.`,
    }
  }
  const price = plain(term.unitPrice)
  const cost = `${used}, at ${price} ${per}${listWords(terms)}`
  return price === '0'
    ? { code: 'not_charged/free', text: `${cost}: nothing is charged.` }
    : { code: null, text: `${cost}.` }
}

/** ` by price list partners, where the public price is 5`; nothing for a public price. */
function listWords({ priceList, term, listTerm }: PaidCharge['terms']): string {
  if (priceList === null) return ''
  const open = samePrice(term, listTerm) ? '' : `, where the public price is ${priceWords(listTerm)}`
  return ` by price list ${priceList}${open}`
}
