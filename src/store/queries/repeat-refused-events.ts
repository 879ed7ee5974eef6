import type { Query } from '../query.ts'

export interface RepeatedRefusal {
  /** In hexadecimal. */
  readonly digest: string
  readonly times: number
}

/**
 * Note that refusals which are kept came again: through the unique index of digests, and in its order, against
 * deadlocks. @returns the digests of those that are kept
 */
export const repeatRefusedEvents: Query<readonly RepeatedRefusal[], { readonly digest: string }, string> = {
  name: 'repeat_refused_events',
  text: `
    with kept as (
      select e.number, g.added
        from unnest($1::text[], $2::bigint[]) as g (digest, added)
        join refused_event e on e.digest = decode(g.digest, 'hex')
       order by e.digest
         for update of e
    )
    update refused_event e
       set times = e.times + kept.added, last_at = greatest(e.last_at, clock_timestamp())
      from kept
     where e.number = kept.number
    returning encode(e.digest, 'hex') as digest`,
  values: (refusals) => [refusals.map(({ digest }) => digest), refusals.map(({ times }) => times)],
  decode: ({ digest }) => digest,
}
