import type { Bill, BillHead, BillLine } from '../../core/bill/bill.ts'
import { billText, lineText } from '../../core/bill/digest-text.ts'
import { formatHourStart } from '../../core/time/hour.ts'
import { sha256 } from '../shared/sha256.ts'

/** Something stored that is not what it should be. */
export interface Difference {
  /** For people and for grep: `bill 2025-07-28T03Z.acme, line 4`. */
  readonly place: string
  /** What is stored, and what it should be, to the digit. */
  readonly detail: string
}

const LINE_FIELDS = [
  'component',
  'item',
  'rate',
  'operation',
  'project',
  'region',
  'quantity',
  'unit',
  'waived',
  'pricingQuantity',
  'pricingUnit',
  'unitPrice',
  'listPrice',
  'priceList',
  'tier',
  'listTier',
  'position',
  'stretchFrom',
  'amount',
  'corrects',
  'priceVersion',
] as const satisfies readonly (keyof BillLine)[]

/**
 * Hold a stored bill against the one that its facts come to, field by field, and against its own digests.
 * @param should the bill computed again from facts, with what was fixed when it was issued taken from the stored one
 */
export function compareBill(stored: Bill, should: Bill): readonly Difference[] {
  const place = `bill ${stored.id}`
  const own = stored.lines.map((line) => lineText(stored.hour, line)).join('')
  return [
    ...compareLines(place, stored, should),
    ...compareTotals(place, stored, should),
    ...compareTexts(place, [
      ['eventsDigest', stored.eventsDigest, should.eventsDigest],
      ['statementMonth', stored.statementMonth, should.statementMonth],
      ['currency', stored.currency, should.currency],
      ['linesDigest of the lines as stored', stored.linesDigest, sha256(own)],
      ['digest of the bill as stored', stored.digest, sha256(billText(stored))],
    ]),
  ]
}

function compareLines(place: string, stored: Bill, should: Bill): readonly Difference[] {
  const count = Math.max(stored.lines.length, should.lines.length)
  return Array.from({ length: count }, (_, index) => {
    const [is, wanted] = [stored.lines[index], should.lines[index]]
    const name = `${place}, line ${index + 1}`
    if (!is) return [{ place: name, detail: `is missing: ${summary(wanted!)}` }]
    if (!wanted) return [{ place: name, detail: `is one too many: ${summary(is)}` }]
    return compareLine(name, is, wanted)
  }).flat()
}

function compareLine(place: string, is: BillLine, wanted: BillLine): readonly Difference[] {
  const fields = LINE_FIELDS.map((field) => [field, is[field], wanted[field]] as const)
  const hours = ['usageHour', formatHourStart(is.usageHour), formatHourStart(wanted.usageHour)] as const
  return compareTexts(place, [['number', is.number, wanted.number], hours, ...fields])
}

function compareTotals(place: string, stored: BillHead, should: BillHead): readonly Difference[] {
  return compareTexts(place, [
    ['total', stored.total, should.total],
    ['components.request', stored.components.request, should.components.request],
    ['components.processing', stored.components.processing, should.components.processing],
    ['components.storage', stored.components.storage, should.components.storage],
  ])
}

type Field = readonly [name: string, is: string | number | null, wanted: string | number | null]

function compareTexts(place: string, fields: readonly Field[]): readonly Difference[] {
  return fields
    .filter(([, is, wanted]) => is !== wanted)
    .map(([name, is, wanted]) => ({ place, detail: `${name} is ${is}, and should be ${wanted}` }))
}

function summary({ item, rate, operation, quantity, unit, amount }: BillLine): string {
  return `${[item, rate, operation ?? '-'].join('/')} ${quantity} ${unit}, amount ${amount}`
}
