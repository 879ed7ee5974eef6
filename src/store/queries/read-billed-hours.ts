import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadBilledHours {
  readonly bucket: number
  readonly account: string
  readonly hours: readonly Hour[]
  /** Bills of lower steps only; null: all. */
  readonly beforeStep: number | null
}

/** For which of these hours the account has a bill. */
export const readBilledHours: Query<ReadBilledHours, { hour: Hour }, Hour> = {
  name: 'read_billed_hours',
  text: `
    select hour from bill
     where account = $2 and bucket = $1 and hour = any ($3) and ($4::bigint is null or step < $4)`,
  values: ({ bucket, account, hours, beforeStep }) => [bucket, account, hours, beforeStep],
  decode: ({ hour }) => hour,
}
