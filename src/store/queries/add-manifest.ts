import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface NewManifest {
  readonly hour: Hour
  readonly source: string
  /** A whole number from 0. */
  readonly events: number
  /** The key. */
  readonly by: string
}

/** The version that was added; nothing when the newest one says the same. Two at once: one of them fails with 23505. */
export const addManifest: Query<NewManifest, { version: number }, number> = {
  name: 'add_manifest',
  text: `
    with newest as (
      select version, events from manifest where hour = $1 and source = $2 order by version desc limit 1)
    insert into manifest (hour, source, version, events, announced_by)
    select $1, $2, coalesce((select version from newest), 0) + 1, $3::bigint, $4
     where not exists (select from newest where events = $3::bigint)
    returning version`,
  values: ({ hour, source, events, by }) => [hour, source, events, by],
  decode: ({ version }) => version,
}
