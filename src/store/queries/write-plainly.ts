import type { Query } from '../query.ts'

/**
 * In this transaction every value is written, and read, in the one form that a backup has, whatever the database,
 * its role or a user of it has set; and no copy is too long.
 */
export const writePlainly: Query<void, never, void> = {
  name: 'write_plainly',
  text: `
    select set_config(name, value, true)
      from (values ('datestyle', 'ISO, YMD'), ('timezone', 'UTC'), ('intervalstyle', 'iso_8601'),
                   ('bytea_output', 'hex'), ('extra_float_digits', '1'), ('client_encoding', 'UTF8'),
                   ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) as s (name, value)`,
  values: () => [],
  decode: () => undefined,
}
