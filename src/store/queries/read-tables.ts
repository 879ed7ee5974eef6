import type { Query } from '../query.ts'

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
export const readTables: Query<void, Raw, TablePart> = {
  name: 'read_tables',
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
