import type { Hour } from '../../core/time/hour.ts'
import { BILL_COLUMNS, decodeBill, type RawBill, type StoredBill } from '../bill-row.ts'
import type { Query } from '../query.ts'

export interface ReadBill {
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
}

/** One bill without its lines, by its primary key. */
export const readBill: Query<ReadBill, RawBill, StoredBill> = {
  name: 'read_bill',
  text: `select ${BILL_COLUMNS} from bill where hour = $1 and bucket = $2 and account = $3`,
  values: ({ hour, bucket, account }) => [hour, bucket, account],
  decode: decodeBill,
}
