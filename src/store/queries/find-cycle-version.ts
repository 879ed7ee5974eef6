import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** The price version with which a live hour was sealed; none: it is not sealed, or no live hour. By primary key. */
export const findCycleVersion: Query<{ readonly hour: Hour }, { price_version: number }, number> = {
  name: 'find_cycle_version',
  text: 'select price_version from cycle where hour = $1',
  values: ({ hour }) => [hour],
  decode: ({ price_version }) => price_version,
}
