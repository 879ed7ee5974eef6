import type { BillLine } from '../../core/bill/bill.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { listBillLines } from '../../store/bill-lines.ts'
import {
  listAccountStatementBills,
  listLinesOfBills,
  listStatementBills,
} from '../../store/exported-bills.ts'
import { run, type Sql } from '../../store/query.ts'
import { listBills } from './read-bills.ts'

/** Lines that are in memory at once, at most: those of a few bills, or a part of a large one. */
export const EXPORT_LINES_MAX = 2000
/** Bills that are looked up at once. */
const EXPORT_BILLS_MAX = 500

/** What an export holds: statement months as `2025-07`, or cycles. */
export type ExportRange =
  | { readonly by: 'month'; readonly from: string; readonly to: string }
  | { readonly by: 'cycle'; readonly from: Hour; readonly to: Hour }

export interface AskExport {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  readonly range: ExportRange
  /** The line that was the last one so far; undefined: from the beginning. */
  readonly after: { readonly bill: StoredBill; readonly number: number } | undefined
}

export interface ExportedLine {
  readonly bill: StoredBill
  readonly line: BillLine
}

/**
 * All lines of a range in their one order: by statement month or not, then by cycle, bucket, account and number. Bills never change,
 * so anyone who continues behind a line gets what would have come. A page is in memory at once.
 * @param sql a statement a page: it may give each its turn
 */
export async function* exportPages(sql: Sql, ask: AskExport): AsyncGenerator<readonly ExportedLine[]> {
  let { after } = ask
  if (after && after.number < after.bill.lineCount) {
    yield* pagesOfBill(sql, after.bill, after.number)
  }
  for (;;) {
    const bills = await nextBills(sql, ask, after?.bill)
    for (const some of inPortions(bills)) {
      const [first] = some
      if (some.length === 1 && first!.lineCount > EXPORT_LINES_MAX) yield* pagesOfBill(sql, first!, 0)
      else yield await linesOf(sql, some)
    }
    if (bills.length < EXPORT_BILLS_MAX) return
    after = { bill: bills.at(-1)!, number: 0 }
  }
}

function nextBills(
  sql: Sql,
  { account, range }: AskExport,
  after: StoredBill | undefined,
): Promise<readonly StoredBill[]> {
  const limit = EXPORT_BILLS_MAX
  if (range.by === 'cycle') {
    const { from, to } = range
    const position = after && ([after.hour, after.bucket, after.account] as const)
    return listBills(sql, { account, from, to, after: position, limit }).then(({ items }) => items)
  }
  const { from, to } = range
  return account === undefined
    ? run(sql, listStatementBills, { account: null, from, to, after, limit })
    : run(sql, listAccountStatementBills, { account, from, to, after, limit })
}

/** Bills that follow each other, with at most EXPORT_LINES_MAX lines together, unless one alone has more. */
function* inPortions(bills: readonly StoredBill[]): Generator<readonly StoredBill[]> {
  let portion: StoredBill[] = []
  let lines = 0
  for (const bill of bills) {
    if (portion.length > 0 && lines + bill.lineCount > EXPORT_LINES_MAX) {
      yield portion
      portion = []
      lines = 0
    }
    portion.push(bill)
    lines += bill.lineCount
  }
  if (portion.length > 0) yield portion
}

async function linesOf(sql: Sql, bills: readonly StoredBill[]): Promise<readonly ExportedLine[]> {
  const rows = await run(sql, listLinesOfBills, bills)
  return rows.map(({ place, line }) => ({ bill: bills[place]!, line }))
}

async function* pagesOfBill(
  sql: Sql,
  bill: StoredBill,
  behind: number,
): AsyncGenerator<readonly ExportedLine[]> {
  let after = behind
  while (after < bill.lineCount) {
    const lines = await run(sql, listBillLines, { bill, after, limit: EXPORT_LINES_MAX })
    const last = lines.at(-1)
    if (last === undefined) return
    yield lines.map((line) => ({ bill, line }))
    after = last.number
  }
}
