import type { LineView } from './bill-view.ts'
import { lineFormula, multipliesOut } from './line-formula.ts'
import { type LineTerms, waivedStatuses } from './line-terms.ts'
import { countOf, readableNumber, readableTime, safeText } from './readable-text.ts'

export type TermsOf = (line: LineView) => LineTerms | undefined

/**
 * What the numbers of a line do not say by themselves, one sentence each.
 * @param before the line above, which may have said why the same rate is free
 */
export function notesOn(
  line: LineView,
  before: LineView | undefined,
  terms: LineTerms | undefined,
): readonly string[] {
  const notes: string[] = []
  if (!multipliesOut(line)) notes.push(lineFormula(line, { unit: safeText(line.unit) }))
  const wasSaid =
    before?.item === line.item && before.rate === line.rate && before.usageHour === line.usageHour
  const isPublic = line.priceList === null
  if (line.tier !== null || line.listTier !== null) notes.push(tierNote(line))
  notes.push(...listNotes(line))
  if (terms?.term?.kind === 'free' && isPublic && !wasSaid) notes.push(`free ${safeText(terms.term.reason)}`)
  if (line.waived !== '0') notes.push(waivedNote(line, terms))
  if (line.amount.startsWith('-')) notes.push('gives back what was billed too much')
  return notes
}

/** By which list it is paid, and the public price where that is another one. */
function listNotes({ priceList, listPrice, unitPrice }: LineView): readonly string[] {
  const isOther = listPrice !== unitPrice
  const shown = `the public price is ${readableNumber(listPrice)}`
  if (priceList === null) return isOther ? [shown] : []
  const name = `price list ${safeText(priceList)}`
  return [isOther ? `${name}: ${shown}` : `${name}, at the public price`]
}

/** How much of the month's usage was before the line, and in which tier it is. */
function tierNote({ tier, listTier, position, unit }: LineView): string {
  const which = tier === null ? `tier ${listTier} of the public price` : `tier ${tier}`
  return `${which}, after ${countOf(position ?? '0', safeText(unit))} of the month`
}

/** After the component's title: which hour is corrected, and which bill. */
export function correctionTitle({ usageHour, corrects }: LineView): string {
  const bill = corrects === null ? 'no bill was issued for it' : `corrects bill ${corrects}`
  return `of ${readableTime(usageHour)} UTC (${bill})`
}

function waivedNote(line: LineView, terms: LineTerms | undefined): string {
  const why = waivedReason(line, terms)
  if (!line.waived.startsWith('-')) return `${countOf(line.waived, line.unit)} ${why}: not billed`
  return `${countOf(line.waived.slice(1), line.unit)} ${why} (not billed): fewer than counted before`
}

/** R5 and R8: the status decides for a request, success for an operator. */
function waivedReason(line: LineView, terms: LineTerms | undefined): string {
  if (line.component === 'processing') return 'of failed tasks'
  const statuses = terms && waivedStatuses(terms.rate)
  return statuses ? `answered ${statuses}` : 'answered with a status that has no fee'
}
