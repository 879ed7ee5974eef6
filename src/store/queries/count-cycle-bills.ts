import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface CycleBills {
  readonly hour: Hour
  /** Of all accounts, those of history included. */
  readonly bills: number
  /** Lines of these bills that correct an older hour. */
  readonly corrections: number
}

/** Bills of some hours, which are settled: a range of the key of each, and of the index bill_line_correction_cycle. */
export const countCycleBills: Query<{ readonly hours: readonly Hour[] }, CycleBills, CycleBills> = {
  name: 'count_cycle_bills',
  text: `
    select hour,
           (select count(*) from bill b where b.hour = h.hour)::int as bills,
           (select count(*) from bill_line l where l.hour = h.hour and l.usage_hour <> l.hour)::int as corrections
      from unnest($1::int[]) as h (hour)`,
  values: ({ hours }) => [hours],
  decode: (raw) => raw,
}
