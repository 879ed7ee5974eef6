import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** Have an hour counted again, if it was announced. Hours that are not counted yet are anyway. */
export const addUncountedHour: Query<{ readonly hour: Hour }, never, void> = {
  name: 'add_uncounted_hour',
  text: `
    insert into uncounted_hour (hour)
    select $1::int where exists (select from manifest where hour = $1)
        on conflict do nothing`,
  values: ({ hour }) => [hour],
  decode: () => undefined,
}
