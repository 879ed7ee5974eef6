import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadHourSources {
  readonly hour: Hour
  /** Behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

/** What of a source is stored of an hour, and what it has announced. */
export interface HourSource {
  readonly source: string
  readonly arrived: number
  /** Of those, the events that count in a later hour. */
  readonly late: number
  /** By its newest manifest; null: it has announced nothing. */
  readonly announced: { readonly events: number; readonly version: number; readonly at: Instant } | null
}

/** Sources that have events of an hour or have announced it, in the order of their bytes. Reads the hour, by the key. */
export const readHourSources: Query<
  ReadHourSources,
  {
    source: string
    arrived: string
    late: string
    events: string | null
    version: number | null
    announced_at: Date | null
  },
  HourSource
> = {
  name: 'read_hour_sources',
  text: `
    with arrived as (
      select source, count(*) as events, count(*) filter (where cycle > hour) as late
        from usage_event where hour = $1 and source > $2
       group by source),
    announced as (
      select distinct on (source) source, events, version, announced_at
        from manifest where hour = $1 and source > $2
       order by source, version desc)
    select source, coalesce(a.events, 0) as arrived, coalesce(a.late, 0) as late,
           m.events, m.version, m.announced_at
      from arrived a full join announced m using (source)
     order by source
     limit $3`,
  values: ({ hour, after, limit }) => [hour, after, limit],
  decode: (raw) => ({
    source: raw.source,
    arrived: Number(raw.arrived),
    late: Number(raw.late),
    announced:
      raw.events === null
        ? null
        : {
            events: Number(raw.events),
            version: raw.version!,
            at: raw.announced_at!.getTime() as Instant,
          },
  }),
}
