import type { Query } from '../query.ts'

/** Of PostgreSQL, for people: `18.4`. */
export const readServerVersion: Query<void, { version: string }, string> = {
  name: 'read_server_version',
  text: `select current_setting('server_version') as version`,
  values: () => [],
  decode: ({ version }) => version,
}
