import { type Bill, type BillHead, type BillLine } from '../bill/bill.ts'
import { formatHourStart, type Hour, next } from '../time/hour.ts'
import { formatInstant } from '../time/instant.ts'

/**
 * A bill's line as the API shows it (ARCHITECTURE.md): exactly the members of the line's digested text, so that
 * anyone can check `linesDigest` from an answer.
 */
export function lineView(own: Hour, line: BillLine) {
  const { stretchFrom: _, ...shown } = line
  return { ...shown, usageHour: formatHourStart(line.usageHour), correction: line.usageHour !== own }
}

/** A bill without its lines, as lists show it: the members of the bill's digested text, and the digest. */
export function billHeadView(bill: BillHead & { readonly digest: string }) {
  return {
    id: bill.id,
    account: bill.account,
    cycle: { from: formatHourStart(bill.hour), to: formatHourStart(next(bill.hour)) },
    issuedAt: formatInstant(bill.issuedAt),
    currency: bill.currency,
    demo: bill.demo,
    late: bill.late,
    total: bill.total,
    components: bill.components,
    sequence: bill.sequence,
    statementMonth: bill.statementMonth,
    eventsDigest: bill.eventsDigest,
    linesDigest: bill.linesDigest,
    digest: bill.digest,
    previousDigest: bill.previousDigest,
  }
}

/** A whole bill. */
export function billView(bill: Bill) {
  return { ...billHeadView(bill), lines: bill.lines.map((line) => lineView(bill.hour, line)) }
}

export type LineView = ReturnType<typeof lineView>
export type BillView = Omit<ReturnType<typeof billView>, 'lines'> & { readonly lines: readonly LineView[] }
