import type { HeldCode } from '../core/rate/rating/assess.ts'
import type { Hour } from '../core/time/hour.ts'
import type { EventKey } from './key-columns.ts'
import type { Query } from './query.ts'

export interface HeldOfHours {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Only those of these accounts; null: all. */
  readonly accounts: readonly string[] | null
  /** Those of these are left out. */
  readonly without: readonly string[]
  readonly limit: number
}

export interface HeldCount {
  readonly code: HeldCode
  readonly subject: string
  readonly events: number
}

const HELD_OF_HOURS = `
      from held_event
     where hour >= $1 and hour < $2 and ($3::text[] is null or account = any ($3)) and account <> all ($4::text[])`

/** Why usage of some hours is held, and of how many events: a range of the primary key. */
export const countHeldOfHours: Query<HeldOfHours, Omit<HeldCount, 'events'> & { events: string }, HeldCount> =
  {
    name: 'count_held_of_hours',
    text: `
    select code, subject, count(*) as events
      ${HELD_OF_HOURS}
     group by code, subject
     order by count(*) desc, code, subject
     limit $5`,
    values,
    decode: ({ events, ...raw }) => ({ ...raw, events: Number(events) }),
  }

/** Held events of some hours, each with its reason. */
export const listHeldOfHours: Query<HeldOfHours, HeldEventKey, HeldEventKey> = {
  name: 'list_held_of_hours',
  text: `
    select hour, bucket, account, id, source, code, subject
      ${HELD_OF_HOURS}
     limit $5`,
  values,
  decode: (raw) => raw,
}

export interface HeldEventKey extends EventKey {
  readonly code: HeldCode
  readonly subject: string
}

function values({ from, to, accounts, without, limit }: HeldOfHours): readonly unknown[] {
  return [from, to, accounts, without, limit]
}
