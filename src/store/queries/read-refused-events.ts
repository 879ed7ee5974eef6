import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadRefusedEvents {
  /** Undefined: of all accounts, and those whose account could not be read. */
  readonly account: string | undefined
  readonly id: string | undefined
  readonly source: string | undefined
  /** Numbers below this one; undefined: from the newest on. */
  readonly before: number | undefined
  readonly limit: number
}

export interface RefusedRow {
  readonly number: number
  /** When it was refused first and last. */
  readonly firstAt: Instant
  readonly lastAt: Instant
  /** How many there were that are equal in everything below. */
  readonly times: number
  readonly outcome: 'rejected' | 'conflict'
  readonly account: string | null
  readonly source: string | null
  readonly id: string | null
  readonly code: string
  readonly detail: string
  readonly body: string
}

interface RawRefused extends Omit<RefusedRow, 'number' | 'firstAt' | 'lastAt' | 'times'> {
  readonly number: string
  readonly first_at: Date
  readonly last_at: Date
  readonly times: string
}

/** What was not accepted, in the order in which it was refused for the first time, newest first. */
export const readRefusedEvents: Query<ReadRefusedEvents, RawRefused, RefusedRow> = {
  name: 'read_refused_events',
  text: `
    select number, first_at, last_at, times, outcome, account, source, id, code, detail, body
      from refused_event
     where ($1::text is null or account = $1)
       and ($2::text is null or id = $2)
       and ($3::text is null or source = $3)
       and number < $4
     order by number desc
     limit $5`,
  values: ({ account, id, source, before, limit }) => [
    account ?? null,
    id ?? null,
    source ?? null,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  ],
  decode: ({ number, first_at, last_at, times, ...row }) => ({
    number: Number(number),
    firstAt: first_at.getTime() as Instant,
    lastAt: last_at.getTime() as Instant,
    times: Number(times),
    ...row,
  }),
}
