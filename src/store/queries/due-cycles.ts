import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface DueCycle {
  readonly hour: Hour
  readonly priceVersion: number
}

/** The sealed live hours that some bucket has not settled, oldest first. */
export const dueCycles: Query<{ readonly limit: number }, { hour: Hour; price_version: number }, DueCycle> = {
  name: 'due_cycles',
  text: `
    select c.hour, c.price_version
      from cycle c
     where c.hour >= (select min(settled_until) from bucket)
     order by c.hour
     limit $1`,
  values: ({ limit }) => [limit],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}
