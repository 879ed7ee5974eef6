import type { Query } from './query.ts'

/** Note that an event of each of these types is about to be accepted. Those that are noted already stay as they are. */
export const insertAcceptedTypes: Query<readonly string[], never, void> = {
  name: 'insert_accepted_types',
  text: `
    insert into accepted_type (type)
    select type from unnest($1::text[]) as t (type)
     order by type collate "C"
        on conflict do nothing`,
  values: (types) => [types],
  decode: () => undefined,
}

/** Event types of price books of which an event was accepted, by their bytes. There are as many as were ever declared. */
export const listAcceptedTypes: Query<void, { type: string }, string> = {
  name: 'list_accepted_types',
  text: 'select type from accepted_type order by type',
  values: () => [],
  decode: ({ type }) => type,
}
