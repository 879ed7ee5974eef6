import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Make the partitions for bills of the month that contains an hour, if they are missing. */
export const addBillMonth: Query<{ readonly hour: Hour }, never, void> = {
  name: 'add_bill_month',
  text: `select add_bill_month($1)`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}
