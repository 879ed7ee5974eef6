/** How a table is divided: by UTC day (or month, long ago) or calendar month of its hour, or not at all. */
export type Division = 'day' | 'month' | undefined

/**
 * Every table that a backup holds, in the order in which a restore fills them: what is referred to comes first.
 * A test compares this list and the next one with the database, so that no new table is forgotten.
 */
export const BACKED_UP: readonly { readonly table: string; readonly division?: Division }[] = [
  { table: 'deployment' },
  { table: 'price_version' },
  { table: 'price_list' },
  { table: 'cycle' },
  { table: 'bucket' },
  { table: 'set_aside' },
  { table: 'account' },
  { table: 'account_profile' },
  { table: 'account_price_list' },
  { table: 'api_key' },
  { table: 'audit_entry' },
  { table: 'manifest' },
  { table: 'usage_event', division: 'day' },
  { table: 'accepted_type' },
  { table: 'held_event' },
  { table: 'released_event' },
  { table: 'voided_event' },
  { table: 'conflict_event' },
  { table: 'refused_event' },
  { table: 'refusal_count' },
  { table: 'identity_segment' },
  { table: 'backfill_hour' },
  { table: 'late_hour' },
  { table: 'restated_account' },
  { table: 'storage_series' },
  { table: 'storage_level' },
  { table: 'rate_position' },
  { table: 'account_month' },
  { table: 'storage_total' },
  { table: 'storage_count' },
  { table: 'bill', division: 'month' },
  { table: 'bill_line', division: 'month' },
  { table: 'settled_hour', division: 'month' },
  { table: 'settlement_summary' },
  { table: 'log_tree' },
  { table: 'log_leaf' },
  { table: 'log_tile' },
  { table: 'log_checkpoint' },
  { table: 'log_key' },
  { table: 'log_salt' },
  { table: 'log_pending' },
]

/** Tables that no backup holds, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  clock_watch: 'what processes agree on about the clock of the database that they run on',
  idempotent_request: 'what was asked in the last day: a restored server answers repeats as new requests',
  source_count: 'computed again from events and manifests',
  source_presence: 'computed again from the events of the last days',
  source_watch: 'how far both are made',
  uncounted_hour: 'what of them is to be computed again',
  migration: 'the first line of a backup lists the migrations, and a restore applies them',
}
