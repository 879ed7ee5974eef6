import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface AddUncountedHours {
  /** A cycle that was counted: its late events change the counts of older hours. */
  readonly cycle: Hour
  /** Hours from here on are counted again in any case, older ones if they were announced. */
  readonly from: Hour
}

/** Have the hours counted again that got late usage in a cycle. */
export const addUncountedHours: Query<AddUncountedHours, never, void> = {
  name: 'add_uncounted_hours',
  text: `
    insert into uncounted_hour (hour)
    select distinct l.hour
      from late_hour l
     where l.cycle = $1 and (l.hour >= $2 or exists (select from manifest m where m.hour = l.hour))
        on conflict do nothing`,
  values: ({ cycle, from }) => [cycle, from],
  decode: () => undefined,
}
