import type pg from 'pg'
import { SCHEMA } from './embedded/session-settings.ts'
import { madeBy } from './migrations.ts'

/** Tables of the schema by these names, and the partitions of those. */
const TABLES = `
  with recursive ours as (
    select t.oid, t.relname from pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace
     where n.nspname = 'public' and t.relkind in ('r', 'p') and t.relname::text = any ($1::text[])
    union
    select t.oid, t.relname from ours join pg_catalog.pg_inherits i on i.inhparent = ours.oid
      join pg_catalog.pg_class t on t.oid = i.inhrelid)
  select format('alter table public.%I set schema ${SCHEMA}', relname) as statement from ours order by relname`

const FUNCTIONS = `
  select format('alter function public.%I(%s) set schema ${SCHEMA}', p.proname,
                pg_get_function_identity_arguments(p.oid)) as statement
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'public' and p.proname::text = any ($1::text[])`

/**
 * Move what migrations have made in `public` into Farthing's schema: the tables with their partitions, and with them
 * their indexes and sequences, and the functions. Names of other programs stay. Call it in a transaction.
 * @param done which migrations those were
 */
export async function moveOutOfPublic(client: pg.Client, done: ReadonlySet<string>): Promise<void> {
  const made = madeBy([...done])
  const names = (wanted: string) => made.filter(({ kind }) => kind === wanted).map(({ name }) => name)
  for (const [text, values] of [
    [TABLES, ['migration', ...names('table')]],
    [FUNCTIONS, names('function')],
  ] as const) {
    const { rows } = await client.query<{ statement: string }>(text, [values])
    for (const { statement } of rows) await client.query(statement)
  }
}
