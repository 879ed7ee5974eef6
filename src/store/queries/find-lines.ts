import type { BillLine } from '../../core/bill/bill.ts'
import type { Hour } from '../../core/time/hour.ts'
import { decodeLine, LINE_COLUMNS, type RawLine } from '../bill-row.ts'
import type { Query } from '../query.ts'
import type { ReadBill } from './read-bill.ts'

/** What a line's key says, without item and rate. */
export interface FindLines {
  readonly bill: ReadBill
  readonly usageHour: Hour
  readonly component: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
}

/** The lines of a bill that an event of this place may be on: one for each item that charges the operation. */
export const findLines: Query<FindLines, RawLine, BillLine> = {
  name: 'find_lines',
  text: `
    select ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = $2 and account = $3
       and usage_hour = $4 and component = $5
       and operation is not distinct from $6
       and project is not distinct from $7
       and region is not distinct from $8
     order by number
     limit 1000`,
  values: ({ bill, usageHour, component, operation, project, region }) => [
    bill.hour,
    bill.bucket,
    bill.account,
    usageHour,
    component,
    operation,
    project,
    region,
  ],
  decode: decodeLine,
}
