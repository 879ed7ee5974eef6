import type { Query } from '../query.ts'

/** Sources that are silent, and of which nobody has said that this is right. By an index of the silent ones. */
export const countSilentSources: Query<void, { sources: number }, number> = {
  name: 'count_silent_sources',
  text: `
    select count(*)::int as sources
      from source_presence
     where silent_since is not null and acknowledged_by is null`,
  values: () => [],
  decode: ({ sources }) => sources,
}
