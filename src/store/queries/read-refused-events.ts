import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadRefusedEvents {
  /** Undefined: of all accounts, and those whose account could not be read. */
  readonly account: string | undefined
  readonly id: string | undefined
  readonly source: string | undefined
  /** Only what the account has sent itself: not what others have sent in its name. */
  readonly isOwn: boolean
  /** Numbers below this one; undefined: from the newest on. */
  readonly before: number | undefined
  readonly limit: number
}

export interface RefusedRow {
  readonly number: number
  readonly receivedAt: Instant
  readonly outcome: 'rejected' | 'conflict'
  readonly account: string | null
  readonly source: string | null
  readonly id: string | null
  readonly code: string
  readonly detail: string
  readonly body: string
}

interface RawRefused extends Omit<RefusedRow, 'number' | 'receivedAt'> {
  readonly number: string
  readonly received_at: Date
}

/** What was not accepted, newest first. */
export const readRefusedEvents: Query<ReadRefusedEvents, RawRefused, RefusedRow> = {
  name: 'read_refused_events',
  text: `
    select number, received_at, outcome, account, source, id, code, detail, body
      from refused_event
     where ($1::text is null or account = $1)
       and ($2::text is null or id = $2)
       and ($3::text is null or source = $3)
       and not ($4 and code = 'event/foreign_account')
       and number < $5
     order by number desc
     limit $6`,
  values: ({ account, id, source, isOwn, before, limit }) => [
    account ?? null,
    id ?? null,
    source ?? null,
    isOwn,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  ],
  decode: ({ number, received_at, ...row }) => ({
    number: Number(number),
    receivedAt: received_at.getTime() as Instant,
    ...row,
  }),
}
