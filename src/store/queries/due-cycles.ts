import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface DueCycle {
  readonly hour: Hour
  readonly priceVersion: number
}

/** The oldest sealed live hour that some bucket has not settled. */
export const nextDueCycle: Query<void, { hour: Hour; price_version: number }, DueCycle> = {
  name: 'next_due_cycle',
  text: `
    select c.hour, c.price_version
      from cycle c
     where c.hour = (select min(settled_until) from bucket)`,
  values: () => [],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}
