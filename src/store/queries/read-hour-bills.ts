import type { Hour } from '../../core/time/hour.ts'
import { BILL_COLUMNS, decodeBill, type RawBill, type StoredBill } from '../bill-row.ts'
import type { Query } from '../query.ts'

export interface ReadHour {
  readonly hour: Hour
  readonly buckets: readonly number[]
  /** Only this account; null: all. */
  readonly account: string | null
}

/** The bills of an hour in key order, without their lines. */
export const readHourBills: Query<ReadHour, RawBill, StoredBill> = {
  name: 'read_hour_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: decodeBill,
}
