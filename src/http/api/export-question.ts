import { parseBillId } from '../../core/bill/bill-id.ts'
import { formatMonth, parseMonth } from '../../core/time/zone-month.ts'
import type { Key } from '../../flows/keys/key-scopes.ts'
import type { AskExport, ExportRange } from '../../flows/read/export-pages.ts'
import { findBill } from '../../flows/read/read-bills.ts'
import type { Sql } from '../../store/query.ts'
import { sees } from '../access.ts'
import { invalidParameter, readHourRange } from './parameters.ts'
import { HttpProblem } from './problem.ts'

interface Bounds {
  readonly from?: string
  readonly to?: string
}

/** Before and after all months that a text can name. */
const NO_MONTH = { from: '0000-01', to: '9999-99' }

/** Statement months if the bounds are months, else cycles. Without bounds: all statement months. */
export function readExportRange({ from, to }: Bounds): ExportRange {
  const given = [from, to].filter((text) => text !== undefined)
  const months = given.map(parseMonth)
  if (months.every((month) => month !== undefined)) {
    const range = { from: from ?? NO_MONTH.from, to: to ?? NO_MONTH.to }
    if (range.from <= range.to) return { by: 'month', ...range }
    throw invalidParameter('to', range.to, 'send a month that is not before from')
  }
  if (months.some((month) => month !== undefined)) {
    const month = formatMonth(months.find((each) => each !== undefined)!)
    const fix = `send both as months, or both as times: ${month} is a statement month, and ${month}-01 a day of UTC`
    throw invalidParameter('to', to!, fix)
  }
  return { by: 'cycle', ...readHourRange({ ...(from ? { from } : {}), ...(to ? { to } : {}) }) }
}

/** The line behind which an export continues. A line of an account that the key does not see is as unknown as any other. */
export async function readAfter(
  sql: Sql,
  text: string | undefined,
  { key, account }: { readonly key: Key | undefined; readonly account: string | undefined },
): Promise<AskExport['after']> {
  if (text === undefined) return undefined
  const [, id = '', digits = ''] = /^(.+):([1-9]\d{0,8})$/.exec(text) ?? []
  const named = parseBillId(id)
  const isSeen = named && sees(key, named.account) && (account === undefined || account === named.account)
  const bill = isSeen ? await findBill(sql, named) : undefined
  const number = Number(digits)
  if (bill && number <= bill.lineCount) return { bill, number }
  const detail =
    'after names no line that the export has: send the bill id and the number of the last complete line, such as 2025-07-28T03Z.acme:17.'
  throw new HttpProblem('request/invalid_position', detail)
}
