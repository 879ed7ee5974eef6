import type { BillView } from './bill-view.ts'
import { readableTime, safeText } from './readable-text.ts'
import type { TextLine } from './text-table.ts'

/** Hexadecimal digits of a digest that are shown where it is not to be checked. */
const DIGEST_SHOWN = 12

/** What a bill is, above its lines. */
export function billHeadLines(bill: BillView, verbose: boolean): readonly TextLine[] {
  const { cycle, sequence, statementMonth } = bill
  const facts = [
    ['Account', safeText(bill.account)],
    ['Cycle', `${readableTime(cycle.from)} to ${readableTime(cycle.to)} UTC`],
    ['Issued', `${readableTime(bill.issuedAt)} UTC, bill ${sequence} of this account`],
    ['Statement', statementMonth],
    ...digestFacts(bill, verbose),
  ] as const
  return [
    { role: 'title', text: `Bill ${bill.id}` },
    ...facts.map(([name, value]): TextLine => ({ role: 'plain', text: `${name.padEnd(16)}${value}` })),
    ...watermarksOf(bill).map((text): TextLine => ({ role: 'mark', text })),
  ]
}

function digestFacts(bill: BillView, verbose: boolean): readonly (readonly [string, string])[] {
  if (!verbose) return [['Digest', `${bill.digest.slice(0, DIGEST_SHOWN)}…`]]
  return [
    ['Events digest', bill.eventsDigest],
    ['Lines digest', bill.linesDigest],
    ['Digest', bill.digest],
    ['Previous digest', bill.previousDigest ?? 'none: the first bill'],
  ]
}

/** What a reader must know before the numbers. */
function watermarksOf(bill: Pick<BillView, 'demo' | 'late' | 'total'>): readonly string[] {
  return [
    ...(bill.demo ? ['DEMO: made with illustrative prices; nothing is owed.'] : []),
    ...(bill.late ? ['Billed later: this usage arrived after its hour had closed.'] : []),
    ...(bill.total.startsWith('-') ? ['CREDIT: more is given back than was used.'] : []),
  ]
}

/** The same in a word or two each, for lists. */
export function shortMarks(bill: Pick<BillView, 'demo' | 'late' | 'total'>): string {
  return watermarksOf(bill)
    .map((mark) => mark.split(':')[0]!.toLowerCase())
    .join(', ')
}
