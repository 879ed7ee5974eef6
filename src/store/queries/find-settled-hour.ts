import type { Query } from '../query.ts'
import type { ReadBill } from './read-bill.ts'

/** The price version of an account-hour that was settled without a bill, because nothing in it has a fee. */
export const findSettledHour: Query<ReadBill, { price_version: number }, number> = {
  name: 'find_settled_hour',
  text: `select price_version from settled_hour where hour = $1 and bucket = $2 and account = $3`,
  values: ({ hour, bucket, account }) => [hour, bucket, account],
  decode: (raw) => raw.price_version,
}
