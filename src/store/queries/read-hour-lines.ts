import type { BillLine } from '../../core/bill/bill.ts'
import { decodeLine, LINE_COLUMNS, type RawLine } from '../bill-row.ts'
import type { Query } from '../query.ts'
import type { ReadHour } from './read-hour-bills.ts'

export interface AccountLine {
  readonly account: string
  readonly line: BillLine
}

/** The lines of all bills of an hour, in the order of the bills and of their lines. */
export const readHourLines: Query<ReadHour, RawLine & { readonly account: string }, AccountLine> = {
  name: 'read_hour_lines',
  text: `
    select account, ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account, number`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: ({ account, ...raw }) => ({ account, line: decodeLine(raw) }),
}
