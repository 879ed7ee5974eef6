import type { Query } from '../query.ts'

/** Hours whose bills are to be made: sealed live ones, and those of sealed history. */
export const countDueHours: Query<void, { hours: number }, number> = {
  name: 'count_due_hours',
  text: `
    select (select count(*) from cycle where hour >= (select min(settled_until) from bucket))::int
         + (select count(*) from (select distinct hour, price_version
                                    from history_hour where price_version is not null) h)::int as hours`,
  values: () => [],
  decode: ({ hours }) => hours,
}
