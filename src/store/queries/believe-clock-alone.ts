import type { Query } from '../query.ts'

/**
 * As `believeClock`, if no other process shows signs of life on this database (life.ts): there is nobody who knows
 * better. @param own the name of this process's life session
 */
export const believeClockAlone: Query<{ readonly own: string }, { agreements: number }, number> = {
  name: 'believe_clock_alone',
  text: `
    update clock_watch set doubted_at = null, believed_at = null, agreements = agreements + 1
     where doubted_at is not null
       and not exists (select from pg_stat_activity
                        where datname = current_database()
                          and application_name like 'farthing-life %' and application_name <> $1)
    returning agreements`,
  values: ({ own }) => [own],
  decode: ({ agreements }) => agreements,
}
