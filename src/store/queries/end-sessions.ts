import type { Query } from '../query.ts'

export interface EndSessions {
  readonly process: string
  /** The sign of life that was seen last: if there is a newer one, nothing is ended. */
  readonly sign: string
}

/**
 * End the sessions of a process that hold something, whatever they wait for: also for the rows of a COPY, or for a
 * client that does not read. @returns how many
 */
export const endSessions: Query<EndSessions, { ended: number }, number> = {
  name: 'end_sessions',
  text: `
    select count(*) filter (where pg_terminate_backend(held.pid))::int as ended
      from pg_stat_activity held
     where held.datname = current_database()
       and held.application_name like 'farthing%'
       and split_part(held.application_name, ' ', 2) = $1
       and held.application_name not like 'farthing-life %'
       and (held.xact_start is not null
            or exists (select from pg_locks l
                        where l.pid = held.pid and l.locktype = 'advisory' and l.granted))
       and (select max(life.query_start)::text
              from pg_stat_activity life
             where life.datname = current_database()
               and life.application_name = 'farthing-life ' || $1) = $2`,
  values: ({ process, sign }) => [process, sign],
  decode: ({ ended }) => ended,
}
