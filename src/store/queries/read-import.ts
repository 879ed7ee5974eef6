import type { Query } from '../query.ts'

/** History account-hours that an import wrote and that have no bill yet. */
export interface ImportState {
  /** Sealed: their bills are being made. */
  readonly sealed: number
  /** Open, and no one else wrote to them: sealed when the import ends, or when they were quiet for a while. */
  readonly own: number
  /** Open, and others wrote to them too: sealed when they were quiet for a while. */
  readonly shared: number
  /** Some of the shared ones, for the message. */
  readonly sharedHours: readonly { readonly account: string; readonly hour: number }[]
}

/** How many shared hours are named. */
const NAMED_MAX = 20

/** Where the account-hours of an import stand. */
export const readImport: Query<{ readonly writer: string }, ImportState, ImportState> = {
  name: 'read_import',
  text: `
    with mine as (select * from history_hour where $1 = any (writers))
    select (select count(*)::int from mine where price_version is not null) as sealed,
           (select count(*)::int from mine where price_version is null and writers = array[$1]) as own,
           (select count(*)::int from mine where price_version is null and writers <> array[$1]) as shared,
           (select coalesce(json_agg(json_build_object('account', account, 'hour', hour)), '[]'::json)
              from (select account, hour from mine
                     where price_version is null and writers <> array[$1]
                     order by hour, account limit $2) as named) as "sharedHours"`,
  values: ({ writer }) => [writer, NAMED_MAX],
  decode: (raw) => raw,
}
