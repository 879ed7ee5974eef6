import { focusCharges, type FocusVersion } from '../../core/export/focus-columns.ts'
import { focusRow } from '../../core/export/focus-row.ts'
import { LINES_TABLE, linesRow } from '../../core/export/lines-table.ts'
import type { ExportRow, ExportTable } from '../../core/export/table.ts'
import { dayText } from '../../core/export/booking-day.ts'
import type { Hour } from '../../core/time/hour.ts'
import { type Month, parseMonth } from '../../core/time/zone-month.ts'
import { invariant } from '../../core/invariant.ts'
import type { Sql } from '../../store/query.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { type AccountFacts, accountFacts } from './export-accounts.ts'
import { type AskExport, type ExportedLine, exportPages } from './export-pages.ts'

/** Which file is made. */
export type ExportKind =
  { readonly kind: 'lines' } | { readonly kind: 'focus'; readonly version: FocusVersion }

export function tableOfExport(kind: ExportKind): ExportTable {
  return kind.kind === 'lines' ? LINES_TABLE : focusCharges(kind.version)
}

/** The rows of an export, some at a time. */
export async function* exportRows(
  sql: Sql,
  kind: ExportKind,
  ask: AskExport,
): AsyncGenerator<readonly ExportRow[]> {
  const factsOf = accountFacts(sql)
  const nameOf = bookNames(sql)
  for await (const page of exportPages(sql, ask)) {
    const facts = await factsOf(page.map(({ bill }) => bill.account))
    const names = await nameOf(page)
    yield page.map((one) => {
      const account = facts.get(one.bill.account)!
      return kind.kind === 'lines'
        ? linesRow(one.bill, one.line, bookingDay(one, account))
        : chargeRow(focusCharges(kind.version), one, account, names.get(one.bill.priceVersion)!)
    })
  }
}

function chargeRow(
  table: ExportTable,
  { bill, line }: ExportedLine,
  { name, calendar }: AccountFacts,
  book: string,
): ExportRow {
  const month = monthOfBill(bill.statementMonth)
  const period = { from: calendar.firstOfMonth(month), to: calendar.firstOfMonth((month + 1) as Month) }
  return focusRow(table, bill, line, {
    provider: book,
    service: book,
    accountName: name,
    period,
    isCorrection: line.usageHour < period.from,
  })
}

/** The day of a bill in the account's time zone, and never before its statement month. */
function bookingDay({ bill }: ExportedLine, { calendar }: AccountFacts): string {
  const first = calendar.firstOfMonth(monthOfBill(bill.statementMonth))
  return dayText(calendar.dayOf(Math.max(bill.hour, first) as Hour))
}

function monthOfBill(text: string): Month {
  const month = parseMonth(text)
  invariant(month !== undefined, 'the statement month of a bill is a month')
  return month
}

/** The names of the price books of some bills: of the version that each was made with. */
function bookNames(sql: Sql): (page: readonly ExportedLine[]) => Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>()
  return async (page) => {
    for (const { bill } of page) {
      const version = bill.priceVersion
      if (!names.has(version)) names.set(version, (await bookOf(sql, version)).book.name)
    }
    return names
  }
}
