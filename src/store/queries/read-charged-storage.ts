import { type Decimal, decimal } from '../../core/money/decimal.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadChargedStorage {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Bills of lower steps only; null: all. */
  readonly beforeStep: number | null
}

export interface ChargedStorage {
  readonly usageHour: Hour
  readonly item: string
  readonly rate: string
  readonly project: string | null
  readonly region: string | null
  /** Byte-milliseconds, summed over all bills. */
  readonly quantity: Decimal
}

interface Raw {
  usage_hour: Hour
  item: string
  rate: string
  project: string | null
  region: string | null
  quantity: string
}

/** What an account's bills say so far about what it stored in a range of hours. */
export const readChargedStorage: Query<ReadChargedStorage, Raw, ChargedStorage> = {
  name: 'read_charged_storage',
  text: `
    select l.usage_hour, l.item, l.rate, l.project, l.region, sum(l.quantity)::text as quantity
      from bill b
      join bill_line l on l.hour = b.hour and l.bucket = b.bucket and l.account = b.account
     where b.account = $2 and b.bucket = $1 and b.hour >= $3 and ($5::bigint is null or b.step < $5)
       and l.component = 'storage' and l.usage_hour >= $3 and l.usage_hour < $4
     group by l.usage_hour, l.item, l.rate, l.project, l.region`,
  values: ({ bucket, account, from, to, beforeStep }) => [bucket, account, from, to, beforeStep],
  decode: ({ usage_hour, quantity, ...raw }) => ({
    ...raw,
    usageHour: usage_hour,
    quantity: decimal(quantity),
  }),
}
