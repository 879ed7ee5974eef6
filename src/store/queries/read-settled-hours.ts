import type { Query } from '../query.ts'
import type { ReadHour } from './read-hour-bills.ts'
import type { SettledAccount } from './read-late-hours.ts'

/** An account-hour that is settled and has no bill. */
export interface HourWithoutBill extends SettledAccount {
  readonly step: number
  readonly priceVersion: number
  /** Hexadecimal. */
  readonly eventsDigest: string
}

interface Raw {
  bucket: number
  account: string
  step: string
  price_version: number
  events_digest: string
}

/** Who is settled for an hour without a bill, in key order. */
export const readSettledHours: Query<ReadHour, Raw, HourWithoutBill> = {
  name: 'read_settled_hours',
  text: `
    select bucket, account, step, price_version, encode(events_digest, 'hex') as events_digest
      from settled_hour
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: (raw) => ({
    bucket: raw.bucket,
    account: raw.account,
    step: Number(raw.step),
    priceVersion: raw.price_version,
    eventsDigest: raw.events_digest,
  }),
}
