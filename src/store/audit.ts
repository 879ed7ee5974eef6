import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'

/** What people and keys do that changes what is billed, or who may do what. */
export const ACTS = [
  'account/put',
  'database/restore',
  'event/void',
  'key/make',
  'key/rescue',
  'key/revoke',
  'log/continue',
  'log/key',
  'price-book/publish',
  'price-list/publish',
  'settle/clock-is-right',
  'settle/now',
] as const
export type Act = (typeof ACTS)[number]

export interface AuditEntry {
  /** The id of the key; or the local command, with the user of the machine: `cli:maria`. */
  readonly actor: string
  readonly act: Act
  /** The only account that it concerns; null: all. */
  readonly account: string | null
  /** One line for people: what it was done to, and with what. */
  readonly detail: string
}

/** Note an act, for the log too, in the transaction that carries it out: what is rolled back leaves no entry. */
export const insertAuditEntry: Query<AuditEntry, never, void> = {
  name: 'insert_audit_entry',
  text: `
    with entry as (insert into audit_entry (actor, act, account, detail) values ($1, $2, $3, $4) returning *)
    insert into log_pending (kind, accounts, numbers, digests, leaves)
    select 5, array[coalesce(account, '')], array[number], audit_digest(number, at, actor, act, account, detail), 1 from entry`,
  values: ({ actor, act, account, detail }) => [actor, act, account, detail],
  decode: () => undefined,
}

export interface ListAuditLogRows {
  readonly act: string | undefined
  readonly actor: string | undefined
  readonly account: string | undefined
  /** Entries made in [from, to); undefined: without that bound. */
  readonly from: Instant | undefined
  readonly to: Instant | undefined
  /** Numbers below this one; undefined: from the newest on. */
  readonly before: number | undefined
  readonly limit: number
}

export interface AuditRow extends Omit<AuditEntry, 'act'> {
  readonly number: number
  readonly at: Instant
  readonly act: string
}

interface Raw extends Omit<AuditRow, 'number' | 'at'> {
  readonly number: string
  readonly at: Date
}

/** What was done, newest first. Backwards along the primary key: acts are few. */
export const listAuditLogRows: Query<ListAuditLogRows, Raw, AuditRow> = {
  name: 'list_audit_log_rows',
  text: `
    select number, at, actor, act, account, detail
      from audit_entry
     where number < $1
       and ($2::text is null or act = $2)
       and ($3::text is null or actor = $3)
       and ($4::text is null or account = $4)
       and ($5::float8 is null or at >= to_timestamp($5::float8 / 1000))
       and ($6::float8 is null or at < to_timestamp($6::float8 / 1000))
     order by number desc
     limit $7`,
  values: ({ act, actor, account, from, to, before, limit }) => [
    before ?? Number.MAX_SAFE_INTEGER,
    act ?? null,
    actor ?? null,
    account ?? null,
    from ?? null,
    to ?? null,
    limit,
  ],
  decode: ({ number, at, ...row }) => ({ ...row, number: Number(number), at: at.getTime() as Instant }),
}
