import type { BillLine } from '../../core/bill/bill.ts'
import { decodeLine, LINE_COLUMNS, type RawLine } from '../bill-row.ts'
import type { Query } from '../query.ts'
import type { ReadBill } from './read-bill.ts'

export interface ReadBillLines {
  readonly bill: ReadBill
  /** Numbers above this one; 0 for the first. */
  readonly after: number
  readonly limit: number
}

/** Lines of one bill in their order: a range of the primary key. */
export const readBillLines: Query<ReadBillLines, RawLine, BillLine> = {
  name: 'read_bill_lines',
  text: `
    select ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = $2 and account = $3 and number > $4
     order by number
     limit $5`,
  values: ({ bill, after, limit }) => [bill.hour, bill.bucket, bill.account, after, limit],
  decode: decodeLine,
}
