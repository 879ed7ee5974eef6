import type { Query } from '../query.ts'

/** The migrations that were applied, in their order. */
export const readMigrations: Query<void, { name: string }, string> = {
  name: 'read_migrations',
  text: `select name from migration order by name collate "C"`,
  values: () => [],
  decode: ({ name }) => name,
}
