import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Take one hour that is to be counted again, before the given one; undefined when there is none. Under the claim. */
export const takeUncountedHour: Query<{ readonly before: Hour }, { hour: Hour }, Hour> = {
  name: 'take_uncounted_hour',
  text: `
    delete from uncounted_hour
     where hour = (select min(hour) from uncounted_hour where hour < $1)
    returning hour`,
  values: ({ before }) => [before],
  decode: ({ hour }) => hour,
}
