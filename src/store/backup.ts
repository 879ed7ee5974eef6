import type { Query } from './query.ts'

export interface UpdateNumbering {
  readonly table: string
  readonly column: string
  /** The last number that was given. */
  readonly last: string
}

/** A column that numbers rows by itself goes on after this number; 0: from the beginning. */
export const updateNumbering: Query<UpdateNumbering, never, void> = {
  name: 'update_numbering',
  text: `select setval(pg_get_serial_sequence($1, $2)::regclass, greatest($3::bigint, 1), $3::bigint > 0)`,
  values: ({ table, column, last }) => [table, column, last],
  decode: () => undefined,
}

/** Held to the end of the transaction by the one restore of a database. @returns false when there is another one */
export const lockRestore: Query<void, { held: boolean }, boolean> = {
  name: 'lock_restore',
  text: `select pg_try_advisory_xact_lock(hashtext('farthing.restore')) as held`,
  values: () => [],
  decode: ({ held }) => held,
}

/**
 * The first statement of a transaction that reads several times: it sees one moment. Otherwise an hour that is
 * settled in between would be missed, or seen twice.
 */
export const lockSnapshot: Query<void, never, void> = {
  name: 'lock_snapshot',
  text: `set transaction isolation level repeatable read, read only`,
  values: () => [],
  decode: () => undefined,
}

/** Is a backup being restored into this database, now? Keeps none from beginning. */
export const findRestoring: Query<void, { free: boolean }, boolean> = {
  name: 'find_restoring',
  text: `select pg_try_advisory_xact_lock_shared(hashtext('farthing.restore')) as free`,
  values: () => [],
  decode: ({ free }) => !free,
}

/** A table of the database, or one partition of it: the unit in which tables are copied. */
export interface TablePart {
  readonly table: string
  /** As SQL writes it: quoted, and with its schema where needed. */
  readonly sqlName: string
  /** Hours since 1970-01-01T00Z, half-open; undefined for a table without partitions. */
  readonly hours: { readonly from: number; readonly to: number } | undefined
  /** The stored ones, in their order. */
  readonly columns: readonly string[]
  /** Columns that number rows by themselves, with the last number given: at least the greatest that is visible. */
  readonly identity: Readonly<Record<string, string>>
  /** On disk, as it is now: to estimate how much is left to do. */
  readonly bytes: number
}

interface Raw {
  table: string
  sql_name: string | null
  bounds: string | null
  columns: string[]
  identity: Record<string, string> | null
  bytes: string
}

/**
 * Every table of the schema: those without partitions once, others once for each partition (by hour), and once
 * without a name in SQL if there is none.
 */
export const listTables: Query<void, Raw, TablePart> = {
  name: 'list_tables',
  text: `
    select t.relname as table, part.oid::regclass::text as sql_name, pg_get_expr(part.relpartbound, part.oid) as bounds,
           (select array_agg(attname::text order by attnum) from pg_attribute
             where attrelid = t.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
           (select jsonb_object_agg(attname, coalesce(pg_sequence_last_value(
                     pg_get_serial_sequence(format('%I.%I', n.nspname, t.relname), attname)::regclass), 0)::text)
              from pg_attribute where attrelid = t.oid and attnum > 0 and attidentity <> '') as identity,
           coalesce(pg_table_size(part.oid), 0) as bytes
      from pg_class t
      join pg_namespace n on n.oid = t.relnamespace
      left join pg_inherits i on i.inhparent = t.oid
      left join pg_class part on part.oid = case when t.relkind = 'p' then i.inhrelid else t.oid end
     where n.nspname = current_schema() and t.relkind in ('r', 'p') and not t.relispartition
     order by t.relname, coalesce(substring(pg_get_expr(part.relpartbound, part.oid) from '\\d+')::bigint, 0)`,
  values: () => [],
  decode: (raw) => ({
    table: raw.table,
    sqlName: raw.sql_name ?? '',
    hours: hoursOf(raw.bounds),
    columns: raw.columns,
    identity: raw.identity ?? {},
    bytes: Number(raw.bytes),
  }),
}

/** `FOR VALUES FROM (486000) TO (486024)`. */
function hoursOf(bounds: string | null): TablePart['hours'] {
  const [from, to] = (bounds ?? '').match(/\d+/g) ?? []
  return from === undefined || to === undefined ? undefined : { from: Number(from), to: Number(to) }
}

/**
 * In this transaction every value is written, and read, in the one form that a backup has, whatever the database,
 * its role or a user of it has set; and no copy is too long.
 */
export const updateOutputForms: Query<void, never, void> = {
  name: 'update_output_forms',
  text: `
    select set_config(name, value, true)
      from (values ('datestyle', 'ISO, YMD'), ('timezone', 'UTC'), ('intervalstyle', 'iso_8601'),
                   ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('client_encoding', 'UTF8'),
                   ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) as s (name, value)`,
  values: () => [],
  decode: () => undefined,
}
