import type { Query } from '../query.ts'

/** Have all hours counted that were announced and never counted: after a restore. */
export const addAnnouncedHours: Query<void, never, void> = {
  name: 'add_announced_hours',
  text: `
    insert into uncounted_hour (hour)
    select distinct m.hour
      from manifest m
     where not exists (select from source_count c where c.hour = m.hour and c.source = m.source)
        on conflict do nothing`,
  values: () => [],
  decode: () => undefined,
}
