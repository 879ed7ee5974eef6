import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadWaitingHours {
  readonly bucket: number
  readonly account: string
  /** Event types that announce levels. */
  readonly types: readonly string[]
}

/** The hours in which an account has levels that were held: those held still, and those released into open cycles. */
export const readWaitingHours: Query<ReadWaitingHours, { hour: Hour }, Hour> = {
  name: 'read_waiting_hours',
  text: `
    select hour from held_event
     where code = 'held/unknown_type' and subject = any ($3) and account = $2 and bucket = $1
     union
    select hour from released_event
     where bucket = $1 and account = $2
       and cycle >= (select settled_until from bucket where bucket = $1)
     order by hour`,
  values: ({ bucket, account, types }) => [bucket, account, types],
  decode: ({ hour }) => hour,
}
