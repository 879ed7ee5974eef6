import type { Hour } from '../../core/time/hour.ts'
import { BILL_COLUMNS, decodeBill, type RawBill, type StoredBill } from '../bill-row.ts'
import type { Query } from '../query.ts'
import type { ReadBill } from './read-bill.ts'

export interface ReadBills {
  /** Cycles that start in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** The last bill of the page before. */
  readonly after: ReadBill | undefined
  readonly limit: number
}

/** Bills of all accounts by cycle, without their lines: the order of the primary key, read from it. */
export const readBills: Query<ReadBills, RawBill, StoredBill> = {
  name: 'read_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where hour >= $1 and hour < $2
       and hour >= $3 and (hour, bucket, account) > ($3, $4, $5)
     order by hour, bucket, account
     limit $6`,
  values: ({ from, to, after, limit }) => {
    const start = after ?? { hour: from, bucket: -1, account: '' }
    return [from, to, start.hour, start.bucket, start.account, limit]
  },
  decode: decodeBill,
}
