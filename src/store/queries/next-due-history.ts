import type { Query } from '../query.ts'
import type { DueCycle } from './due-cycles.ts'
import type { Hour } from '../../core/time/hour.ts'

/** The oldest sealed history hour that is not settled, and its price version. */
export const nextDueHistory: Query<void, { hour: Hour; price_version: number }, DueCycle> = {
  name: 'next_due_history',
  text: `
    select hour, price_version
      from history_hour
     where price_version is not null
     order by hour, price_version
     limit 1`,
  values: () => [],
  decode: ({ hour, price_version }) => ({ hour, priceVersion: price_version }),
}
