import { type Bill, type BillHead, type BillLine } from '../bill/bill.ts'
import { formatHourStart, type Hour, next } from '../time/hour.ts'
import { formatInstant } from '../time/instant.ts'

/**
 * A bill's line as the API shows it (DESIGN.md 10): exactly the members of the line's digested text, so that
 * anyone can check `linesDigest` from an answer.
 */
export function lineView(own: Hour, line: BillLine) {
  return { ...line, usageHour: formatHourStart(line.usageHour), correction: line.usageHour !== own }
}

/** A bill without its lines, as lists show it. */
export function billHeadView({
  hour,
  priceVersion: _,
  issuedAt,
  ...head
}: BillHead & { readonly digest: string }) {
  const cycle = { from: formatHourStart(hour), to: formatHourStart(next(hour)) }
  return { ...head, cycle, issuedAt: formatInstant(issuedAt) }
}

/** A whole bill. */
export function billView({ lines, ...head }: Bill) {
  return { ...billHeadView(head), lines: lines.map((line) => lineView(head.hour, line)) }
}
