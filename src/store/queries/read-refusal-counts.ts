import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadRefusalCounts {
  /** Undefined: of all accounts, and those whose account is unknown. */
  readonly account: string | undefined
  /** The key of the last one of the page before: account, source, code, outcome; '' for what is unknown. */
  readonly after: readonly [string, string, string, string] | undefined
  readonly limit: number
}

export interface RefusalCount {
  /** Null: it could not be read, or the kind is beyond those that are counted by name. */
  readonly account: string | null
  readonly source: string | null
  readonly code: string
  readonly outcome: 'rejected' | 'conflict'
  readonly times: number
  readonly firstAt: Instant
  readonly lastAt: Instant
}

interface RawCount extends Omit<RefusalCount, 'times' | 'firstAt' | 'lastAt'> {
  readonly times: string
  readonly first_at: Date
  readonly last_at: Date
}

/** How often what was refused, by the primary key and in its order. */
export const readRefusalCounts: Query<ReadRefusalCounts, RawCount, RefusalCount> = {
  name: 'read_refusal_counts',
  text: `
    select nullif(account, '') as account, nullif(source, '') as source, code, outcome, times, first_at, last_at
      from refusal_count c
     where ($1::text is null or c.account = $1)
       and ($2::text is null or (c.account, c.source, c.code, c.outcome) > ($2, $3, $4, $5))
     order by c.account, c.source, c.code, c.outcome
     limit $6`,
  values: ({ account, after, limit }) => [account ?? null, ...(after ?? [null, null, null, null]), limit],
  decode: ({ times, first_at, last_at, ...row }) => ({
    ...row,
    times: Number(times),
    firstAt: first_at.getTime() as Instant,
    lastAt: last_at.getTime() as Instant,
  }),
}
