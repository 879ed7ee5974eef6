import type { Query } from '../query.ts'
import type { RefusalKind } from './count-refusals.ts'
import type { RepeatedRefusal } from './repeat-refused-events.ts'

export interface RefusedEvent {
  readonly outcome: 'rejected' | 'conflict'
  /** As far as they could be read. */
  readonly account: string | null
  readonly source: string | null
  readonly id: string | null
  readonly code: string
  readonly detail: string
  /** The beginning of what was sent, storable. */
  readonly body: string
}

export interface AddRefusedEvents {
  readonly events: readonly (RefusedEvent & RepeatedRefusal)[]
  /** Where they were counted, in this transaction, and how many of `events` are of each. */
  readonly kinds: readonly (RefusalKind & { readonly added: number })[]
  /** The UTC hour in which they were counted. */
  readonly hour: number
}

/** Keep what was not accepted, for inspection, and note how many of each kind were. In order of digests. */
export const addRefusedEvents: Query<AddRefusedEvents, never, void> = {
  name: 'add_refused_events',
  text: `
    with noted as (
      update refusal_count c
         set kept = k.added + case when c.kept_hour = $9 then c.kept else 0 end, kept_hour = $9
        from unnest($10::text[], $11::text[], $12::text[], $13::text[], $14::int[])
             as k (account, source, code, outcome, added)
       where (c.account, c.source, c.code, c.outcome) = (k.account, k.source, k.code, k.outcome)
    )
    insert into refused_event as e
           (digest, times, outcome, account, source, id, code, detail, body, first_at, last_at)
    select decode(hex, 'hex') as digest, times, outcome, account, source, id, code, detail, body,
           clock_timestamp(), clock_timestamp()
      from unnest($1::text[], $2::bigint[],
                  $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $15::text[])
           as g (hex, times, outcome, account, source, id, code, detail, body)
     order by digest
        on conflict (digest) do update
       set times = e.times + excluded.times, last_at = greatest(e.last_at, excluded.last_at)`,
  values: ({ events, kinds, hour }) => [
    events.map(({ digest }) => digest),
    events.map(({ times }) => times),
    events.map(({ outcome }) => outcome),
    events.map(({ account }) => account),
    events.map(({ source }) => source),
    events.map(({ id }) => id),
    events.map(({ code }) => code),
    events.map(({ detail }) => detail),
    hour,
    kinds.map(({ account }) => account),
    kinds.map(({ source }) => source),
    kinds.map(({ code }) => code),
    kinds.map(({ outcome }) => outcome),
    kinds.map(({ added }) => added),
    events.map(({ body }) => body),
  ],
  decode: () => undefined,
}
