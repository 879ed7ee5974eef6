import type { Hour } from '../core/time/hour.ts'
import type { EntryType } from '../core/log/entry.ts'
import type { Query } from './query.ts'

/** The number of a chunk, drawn after its buckets were claimed: what is claimed later has a higher one. */
export const drawChunk: Query<void, { chunk: string }, number> = {
  name: 'draw_chunk',
  text: `select nextval('log_pending_chunk_seq') as chunk`,
  values: () => [],
  decode: ({ chunk }) => Number(chunk),
}

/** What was issued together: leaves of one kind. */
export interface PendingLeaves {
  /** Drawn before; below 0: comes before all that were drawn. */
  readonly chunk: number
  readonly kind: EntryType
  readonly hour: Hour | null
  /** Of each leaf; '' for none. */
  readonly accounts: readonly string[]
  readonly numbers: readonly (number | null)[]
  /** One after the other, 32 bytes each. */
  readonly digests: Buffer
}

/** Note what was issued, in the transaction that issues it. */
export const insertPendingLeaves: Query<PendingLeaves, never, void> = {
  name: 'insert_pending_leaves',
  text: `
    insert into log_pending (chunk, kind, hour, accounts, numbers, digests, leaves)
    values ($1, $2, $3, $4::text[], $5::bigint[], $6, length($6::bytea) / 32)`,
  values: ({ chunk, kind, hour, accounts, numbers, digests }) => [
    chunk,
    kind,
    hour,
    accounts,
    numbers,
    digests,
  ],
  decode: () => undefined,
}

/** Note a price version, after it and its price list were stored. */
export const insertPendingPriceVersion: Query<{ readonly version: number }, never, void> = {
  name: 'insert_pending_price_version',
  text: `
    insert into log_pending (kind, accounts, numbers, digests, leaves)
    values (4, array[''], array[$1::bigint], price_version_digest($1::int), 1)`,
  values: ({ version }) => [version],
  decode: () => undefined,
}

interface Raw {
  chunk: string
  kind: EntryType
  hour: Hour | null
  accounts: string[]
  numbers: (string | null)[]
  digests: Buffer
}

/**
 * The oldest rows that are committed and together have no more than `leavesMax` leaves, by chunk. A row that is committed
 * later with a lower number comes later.
 */
export const listPendingLeaves: Query<{ readonly leavesMax: number }, Raw, PendingLeaves> = {
  name: 'list_pending_leaves',
  text: `
    select p.chunk, p.kind, p.hour, p.accounts, p.numbers, p.digests
      from (select chunk, kind, sum(leaves) over (order by chunk, kind) as upto
              from (select chunk, kind, leaves from log_pending order by chunk, kind limit $1) first) w
      join log_pending p using (chunk, kind)
     where w.upto <= $1
     order by p.chunk, p.kind`,
  values: ({ leavesMax }) => [leavesMax],
  decode: (raw) => ({
    ...raw,
    chunk: Number(raw.chunk),
    numbers: raw.numbers.map((number) => (number === null ? null : Number(number))),
  }),
}

/** Rows have their place in the log. */
export const deletePendingLeaves: Query<readonly PendingLeaves[], never, void> = {
  name: 'delete_pending_leaves',
  text: `
    delete from log_pending p using unnest($1::bigint[], $2::smallint[]) as k (chunk, kind)
     where p.chunk = k.chunk and p.kind = k.kind`,
  values: (rows) => [rows.map(({ chunk }) => chunk), rows.map(({ kind }) => kind)],
  decode: () => undefined,
}

/** How many leaves wait for their place. */
export const countPendingLeaves: Query<void, { leaves: string }, number> = {
  name: 'count_pending_leaves',
  text: `select coalesce(sum(leaves), 0) as leaves from log_pending`,
  values: () => [],
  decode: ({ leaves }) => Number(leaves),
}
