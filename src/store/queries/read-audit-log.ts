import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { AuditEntry } from './add-audit-entry.ts'

export interface ReadAuditLog {
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
export const readAuditLog: Query<ReadAuditLog, Raw, AuditRow> = {
  name: 'read_audit_log',
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
