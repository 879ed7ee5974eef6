import type { Query } from '../query.ts'

/** A process with a session that shows signs of life. */
export interface OtherProcess {
  readonly process: string
  /** Changes with every sign. */
  readonly sign: string
  /** Is a session of it in a transaction, or does one hold an advisory lock? */
  readonly holds: boolean
}

/**
 * The other processes on this database. A sign of life is the beginning of the newest statement of a process's life
 * session, so nothing is written. Sessions of processes that show none (tools, tests) are not judged.
 */
export const readProcesses: Query<{ readonly own: string }, OtherProcess, OtherProcess> = {
  name: 'read_processes',
  text: `
    select split_part(life.application_name, ' ', 2) as process,
           max(life.query_start)::text as sign,
           bool_or(exists (
             select from pg_stat_activity held
              where held.datname = life.datname and held.pid <> life.pid
                and held.application_name like 'farthing%'
                and split_part(held.application_name, ' ', 2) = split_part(life.application_name, ' ', 2)
                and held.application_name not like 'farthing-life %'
                and (held.xact_start is not null
                     or exists (select from pg_locks l
                                 where l.pid = held.pid and l.locktype = 'advisory' and l.granted)))) as holds
      from pg_stat_activity life
     where life.datname = current_database()
       and life.application_name like 'farthing-life %'
       and life.application_name <> $1
     group by 1`,
  values: ({ own }) => [own],
  decode: (raw) => raw,
}
