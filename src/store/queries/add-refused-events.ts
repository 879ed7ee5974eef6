import type { Query } from '../query.ts'

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

/** Keep what was not accepted, for inspection. */
export const addRefusedEvents: Query<readonly RefusedEvent[], never, void> = {
  name: 'add_refused_events',
  text: `
    insert into refused_event (outcome, account, source, id, code, detail, body)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])`,
  values: (events) => [
    events.map(({ outcome }) => outcome),
    events.map(({ account }) => account),
    events.map(({ source }) => source),
    events.map(({ id }) => id),
    events.map(({ code }) => code),
    events.map(({ detail }) => detail),
    events.map(({ body }) => body),
  ],
  decode: () => undefined,
}
