import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadSourceDay {
  /** Usage hours in [from, to), all of one UTC day: one partition. */
  readonly from: Hour
  readonly to: Hour
  /** Only usage of this account; undefined: of all. */
  readonly account: string | undefined
  readonly bucket: number | undefined
  /** Only sources behind this one, in the order of their bytes; '' for all. */
  readonly after: string
  readonly limit: number
}

/** How timely a source was. */
export interface SourceCounts {
  readonly source: string
  readonly events: number
  /** Events that count in a later hour than their own. */
  readonly lateEvents: number
  /** Lines of bills that its events are behind; and those of them that correct an older hour. */
  readonly lines: number
  readonly correctionLines: number
}

/**
 * Sources of a day's events, in the order of their bytes. An event is behind the lines of its cycle's bill that have its
 * usage hour, operation, project and region. Reads the day, or the account's ranges of its key.
 */
export const readSourceDay: Query<ReadSourceDay, SourceCounts, SourceCounts> = {
  name: 'read_source_day',
  text: `
    with event as (
      select source, hour, cycle, bucket, account, data ->> 'operation' as operation,
             nullif(data ->> 'project', '') as project, nullif(data ->> 'region', '') as region, count(*) as events
        from (select source, hour, cycle, bucket, account, data::jsonb as data
                from usage_event
               where hour >= $1 and hour < $2 and source > $5
                 and ($3::smallint is null or (bucket = $3 and account = $4))) e
       group by 1, 2, 3, 4, 5, 6, 7, 8),
    line as (
      select distinct e.source, l.hour, l.bucket, l.account, l.number, l.usage_hour
        from event e
        join bill_line l on l.hour = e.cycle and l.hour >= $1 and l.bucket = e.bucket and l.account = e.account
                        and l.usage_hour = e.hour
                        and l.operation is not distinct from e.operation
                        and l.project is not distinct from e.project
                        and l.region is not distinct from e.region),
    page as (
      select source, sum(events) as events, coalesce(sum(events) filter (where cycle > hour), 0) as late_events
        from event group by source order by source limit $6)
    select p.source, p.events::float8 as events, p.late_events::float8 as "lateEvents",
           count(l.source)::float8 as lines,
           count(l.source) filter (where l.usage_hour <> l.hour)::float8 as "correctionLines"
      from page p left join line l on l.source = p.source
     group by p.source, p.events, p.late_events
     order by p.source`,
  values: ({ from, to, account, bucket, after, limit }) => [from, to, bucket, account, after, limit],
  decode: (raw) => raw,
}
