import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface AddCycles {
  /** Hours in [from, to) are sealed now, with the newest price version. */
  readonly from: Hour
  readonly to: Hour
}

/** Seal live hours: their cycles begin to exist. Only while holding the gate alone. */
export const addCycles: Query<AddCycles, never, void> = {
  name: 'add_cycles',
  text: `
    insert into cycle (hour, price_version, sealed_at)
    select hour, d.price_version, clock_timestamp()
      from deployment d, generate_series($1::int, $2::int - 1) as hour`,
  values: ({ from, to }) => [from, to],
  decode: () => undefined,
}
