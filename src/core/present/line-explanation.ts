import { decimal, plain, plus } from '../money/decimal.ts'
import { unitsOf } from '../rate/price-book/per.ts'
import type { PriceTerm } from '../rate/price-book/price-book.ts'
import { priceWords } from '../rate/price-book/compare/words.ts'
import { formatHourStart } from '../time/hour.ts'
import { correctionTitle } from './bill-line-notes.ts'
import { COMPONENT_TITLES } from './bill-components.ts'
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
): readonly TextLine[] {
  const title = COMPONENT_TITLES[line.component]
  const facts: readonly (readonly [string, string])[] = [
    ['What', placeOf(line)],
    ['When', whenOf(line)],
    ['Rule', ruleOf(line, terms)],
    ['Counted', countedOf(line)],
    ['Price', priceOf(bill.currency, line, terms)],
    ...tierFacts(bill.currency, line),
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

function priceOf(currency: string, line: LineView, terms: LineTerms | undefined): string {
  const per = `per ${readablePer(safeText(line.pricingUnit))}`
  const version = `version ${line.priceVersion} of the price book`
  if (!terms?.term) return `${readableNumber(line.unitPrice)} ${currency} ${per} (${version})`
  const { term, before, after } = terms
  const backfill = [
    `${costOf(currency, term)} ${per} from ${fromOf(term)} on`,
    ...(before ? [`before: ${costOf(currency, before)}`] : []),
    ...(after ? [`next: ${costOf(currency, after)} from ${fromOf(after)} on`] : []),
  ]
  return `${backfill.join('; ')} (${version})`
}

/** Which part of the month's usage the line is, and beside which public price. */
function tierFacts(currency: string, line: LineView): readonly (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = []
  if (line.position !== null) {
    const tier = line.tier === null ? '' : `tier ${line.tier}: `
    const end = plain(plus(decimal(line.position), decimal(line.quantity)))
    const [from, to] = [line.position, end].map(readableNumber)
    facts.push([
      'Tier',
      `${tier}usage of the month goes from ${from} to ${countOf(end, safeText(line.unit)).replace(/^\S+/, to!)}`,
    ])
  }
  if (line.priceList !== null) {
    const per = `per ${readablePer(safeText(line.pricingUnit))}`
    const listTier = line.listTier === null ? '' : `, its tier ${line.listTier}`
    const listed = `${readableNumber(line.listPrice)} ${currency} ${per}${listTier}`
    facts.push(['List', `price list ${safeText(line.priceList)}; the public price is ${listed}`])
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
