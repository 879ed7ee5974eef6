import type { Query } from '../query.ts'

export interface GoOnNumbering {
  readonly table: string
  readonly column: string
  /** The last number that was given. */
  readonly last: string
}

/** A column that numbers rows by itself goes on after this number; 0: from the beginning. */
export const goOnNumbering: Query<GoOnNumbering, never, void> = {
  name: 'go_on_numbering',
  text: `select setval(pg_get_serial_sequence($1, $2)::regclass, greatest($3::bigint, 1), $3::bigint > 0)`,
  values: ({ table, column, last }) => [table, column, last],
  decode: () => undefined,
}
