import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface NextFactHour {
  readonly after: Hour
  readonly before: Hour
}

/** The oldest hour in (after, before) that has events, a bill, a settlement without one, or held events. */
export const nextFactHour: Query<NextFactHour, { hour: Hour | null }, Hour | null> = {
  name: 'next_fact_hour',
  text: `
    select least((select min(hour) from usage_event where hour > $1 and hour < $2),
                 (select min(hour) from bill where hour > $1 and hour < $2),
                 (select min(hour) from settled_hour where hour > $1 and hour < $2),
                 (select min(hour) from held_event where hour > $1 and hour < $2)) as hour`,
  values: ({ after, before }) => [after, before],
  decode: ({ hour }) => hour,
}
