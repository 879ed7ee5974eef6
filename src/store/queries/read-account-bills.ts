import type { Hour } from '../../core/time/hour.ts'
import { BILL_COLUMNS, decodeBill, type RawBill, type StoredBill } from '../bill-row.ts'
import type { Query } from '../query.ts'

export interface ReadAccountBills {
  readonly account: string
  /** Cycles that start in [from, to). An account has at most one bill a cycle. */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

/** Bills of one account by cycle, without their lines. Uses the index bill_account. */
export const readAccountBills: Query<ReadAccountBills, RawBill, StoredBill> = {
  name: 'read_account_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where account = $1 and hour >= $2 and hour < $3
     order by hour
     limit $4`,
  values: ({ account, from, to, limit }) => [account, from, to, limit],
  decode: decodeBill,
}
