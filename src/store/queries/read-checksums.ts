import type { Hour } from '../../core/time/hour.ts'
import { type EventRow, type SettledEvent, settledEvent } from '../event-row.ts'
import type { Query } from '../query.ts'

export interface ReadChecksums {
  /** The cycle whose events are read; they lie in any of `hours`. */
  readonly cycle: Hour
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
}

export interface ChecksumEvent extends SettledEvent {
  readonly checksum: number
}

/** The events of one account's hour that count in a cycle, with the checksums that they were stored with. */
export const readChecksums: Query<ReadChecksums, EventRow & { checksum: number }, ChecksumEvent> = {
  name: 'read_checksums',
  text: `
    select hour, bucket, account, id, source, at, type, data, attributes, checksum
      from usage_event
     where hour = $1 and bucket = $2 and account = $3 and cycle = $4
     order by id, source`,
  values: ({ hour, bucket, account, cycle }) => [hour, bucket, account, cycle],
  decode: (raw) => ({ ...settledEvent(raw), checksum: raw.checksum }),
}
