import { decimal, minus, ONE, plain, plus, times } from '../money/decimal.ts'
import { unitsOf } from '../rate/price-book/per.ts'
import type { PriceTerm } from '../rate/price-book/price-book.ts'
import type { Discount } from '../rate/price-list/price-list.ts'
import { priceWords } from '../rate/price-book/compare/words.ts'
import { formatHourStart } from '../time/hour.ts'
import { correctionTitle } from './bill-line-notes.ts'
import { headingOf, type SoldComponents } from './bill-components.ts'
import type { LineView } from './bill-view.ts'
import { lineFormula } from './line-formula.ts'
import { type LineTerms, waivedStatuses } from './line-terms.ts'
import { countOf, readableNumber, readablePer, readableTime, safeText } from './readable-text.ts'
import type { TextLine } from './text-table.ts'

/** Why a line is on the bill, and how its amount came about: what a customer asks first. */
export function lineExplanation(
  bill: { readonly id: string; readonly currency: string },
  line: LineView,
  terms: LineTerms | undefined,
  sold?: SoldComponents,
): readonly TextLine[] {
  const title = headingOf(line.component, sold)
  const facts: readonly (readonly [string, string])[] = [
    ['What', placeOf(line)],
    ['When', whenOf(line)],
    ['Rule', ruleOf(line, terms)],
    ['Counted', countedOf(line)],
    ['Price', priceOf(bill.currency, line, terms)],
    ...tierFacts(bill.currency, line, terms),
    ['Amount', lineFormula(line, { currency: bill.currency })],
  ]
  return [
    { role: 'title', text: `${title}: line ${line.number} of bill ${bill.id}` },
    ...facts.map(([name, value]): TextLine => ({
      role: 'plain',
      text: `${name.padEnd(9)}${value}`,
      hang: 9,
    })),
  ]
}

function placeOf({ item, rate, operation, project, region }: LineView): string {
  const parts = [
    rate === 'default' ? item : `${item}/${rate}`,
    operation && `operation ${operation}`,
    project && `project ${project}`,
    region && `region ${region}`,
  ]
  return parts
    .filter((part) => part !== null && part !== '')
    .map((part) => safeText(part!))
    .join(', ')
}

function whenOf(line: LineView): string {
  if (line.correction) return `a correction ${correctionTitle(line)}`
  return `used in the hour from ${readableTime(line.usageHour)} UTC`
}

/** In the words of the billing rules R3 to R9. */
function ruleOf(line: LineView, terms: LineTerms | undefined): string {
  const place = line.rate === 'default' ? line.item : `${line.item}, rate ${line.rate}`
  const operation = safeText(line.operation ?? '')
  switch (line.component) {
    case 'request': {
      const statuses = terms && waivedStatuses(terms.rate)
      const exception = statuses ? `; those answered ${statuses} are counted and not billed` : ''
      return `calls of ${operation} are billed under ${place}, whatever they are answered${exception}`
    }
    case 'processing':
      return `what ${operation} processes is billed under ${place} in the hour in which it completes; failed tasks are not`
    case 'storage':
      return `data that is stored is billed under ${place}, by its size and for as long as it is stored`
  }
}

function countedOf({ quantity, waived, unit, pricingUnit }: LineView): string {
  const name = safeText(unit)
  const parts = [
    quantity.startsWith('-')
      ? `${countOf(quantity.slice(1), name)} given back`
      : `${countOf(quantity, name)} billed`,
  ]
  if (waived.startsWith('-')) parts.push(`${countOf(waived.slice(1), name)} fewer counted and not billed`)
  else if (waived !== '0') parts.push(`${countOf(waived, name)} counted and not billed`)
  return `${parts.join(', ')}; one price is for ${countOf(plain(unitsOf(pricingUnit)), name)}`
}

/** What is paid: the public price with its dates, or what a price list makes of it. */
function priceOf(currency: string, line: LineView, terms: LineTerms | undefined): string {
  const version = `version ${line.priceVersion} of the price book`
  if (line.priceList !== null) return `${listedPriceOf(currency, line, terms)} (${version})`
  return `${publicPriceOf(currency, line.unitPrice, line, terms)} (${version})`
}

function publicPriceOf(
  currency: string,
  price: string,
  line: LineView,
  terms: LineTerms | undefined,
): string {
  const per = perOf(line)
  if (!terms?.term) return `${readableNumber(price)} ${currency} ${per}`
  const { term, before, after } = terms
  const backfill = [
    `${costOf(currency, term)} ${per} from ${fromOf(term)} on`,
    ...(before ? [`before: ${costOf(currency, before)}`] : []),
    ...(after ? [`next: ${costOf(currency, after)} from ${fromOf(after)} on`] : []),
  ]
  return backfill.join('; ')
}

function listedPriceOf(currency: string, line: LineView, terms: LineTerms | undefined): string {
  const list = `price list ${safeText(line.priceList!)}`
  const listed = terms?.listed
  if (!listed) return `${readableNumber(line.unitPrice)} ${currency} ${perOf(line)} by ${list}`
  const cost = `${costOf(currency, listed.term)} ${perOf(line)}`
  if (listed.own) return `${cost} by ${list}, which names this price from ${fromOf(listed.own)} on`
  if (!listed.discount) return `${cost}: the public price, from which ${list} takes nothing off`
  return `${cost}: ${list} takes ${percentOf(listed.discount)} off the public price; ${discountFormula(line, listed.discount)}`
}

/** `3 × 0.9 = 2.7`: of the tier of the line. */
function discountFormula({ listPrice, unitPrice }: LineView, { share }: Discount): string {
  return `${readableNumber(listPrice)} × ${plain(minus(ONE, share))} = ${readableNumber(unitPrice)}`
}

/** `12.5 %`. */
export function percentOf({ share }: Pick<Discount, 'share'>): string {
  return `${plain(times(share, decimal('100')))} %`
}

function perOf({ pricingUnit }: LineView): string {
  return `per ${readablePer(safeText(pricingUnit))}`
}

/** Which part of the month's usage the line is, and beside which public price. */
function tierFacts(
  currency: string,
  line: LineView,
  terms: LineTerms | undefined,
): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = []
  if (line.priceList !== null || line.listPrice !== line.unitPrice) {
    const tier = line.listTier === null ? '' : `; the line is in its tier ${line.listTier}`
    facts.push(['Public', `${publicPriceOf(currency, line.listPrice, line, terms)}${tier}`])
  }
  if (line.position !== null) {
    const end = plain(plus(decimal(line.position), decimal(line.quantity)))
    const tier = line.tier === null ? '' : `tier ${line.tier}: `
    const range = `from ${readableNumber(line.position)} to ${countOf(end, safeText(line.unit))}`
    facts.push(['Tier', `${tier}usage of the month goes ${range}`])
  }
  return facts
}

function costOf(currency: string, term: PriceTerm): string {
  switch (term.kind) {
    case 'price':
      return `${readableNumber(plain(term.unitPrice))} ${currency}${term.illustrative ? ' (illustrative)' : ''}`
    case 'tiers':
      return `${priceWords(term)} ${currency}${term.illustrative ? ' (illustrative)' : ''}`
    case 'free':
      return `free ${safeText(term.reason)}`
    case 'unknown':
      return 'unknown'
  }
}

function fromOf({ from }: PriceTerm): string {
  return `${readableTime(formatHourStart(from))} UTC`
}
