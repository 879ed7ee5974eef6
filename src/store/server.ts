import type { Query } from './query.ts'

export interface DeleteSessions {
  readonly process: string
  /** The heartbeat that was seen last: if there is a newer one, nothing is ended. */
  readonly sign: string
}

/**
 * End the sessions of a process that hold something, whatever they wait for: also for the rows of a COPY, or for a
 * client that does not read. @returns how many
 */
export const deleteSessions: Query<DeleteSessions, { ended: number }, number> = {
  name: 'delete_sessions',
  text: `
    select count(*) filter (where pg_terminate_backend(held.pid))::int as ended
      from pg_stat_activity held
     where held.datname = current_database()
       and held.application_name like 'farthing%'
       and split_part(held.application_name, ' ', 2) = $1
       and held.application_name not like 'farthing-heartbeat %'
       and (held.xact_start is not null
            or exists (select from pg_locks l
                        where l.pid = held.pid and l.locktype = 'advisory' and l.granted))
       and (select max(heartbeat.query_start)::text
              from pg_stat_activity heartbeat
             where heartbeat.datname = current_database()
               and heartbeat.application_name = 'farthing-heartbeat ' || $1) = $2`,
  values: ({ process, sign }) => [process, sign],
  decode: ({ ended }) => ended,
}

/** A process with a session that shows a heartbeat. */
export interface OtherProcess {
  readonly process: string
  /** Changes with every sign. */
  readonly sign: string
  /** Is a session of it in a transaction, or does one hold an advisory lock? */
  readonly holds: boolean
}

/**
 * The other processes on this database. A heartbeat is the beginning of the newest statement of a process's heartbeat
 * session, so nothing is written. Sessions of processes that show none (tools, tests) are not judged.
 */
export const listProcesses: Query<{ readonly own: string }, OtherProcess, OtherProcess> = {
  name: 'list_processes',
  text: `
    select split_part(heartbeat.application_name, ' ', 2) as process,
           max(heartbeat.query_start)::text as sign,
           bool_or(exists (
             select from pg_stat_activity held
              where held.datname = heartbeat.datname and held.pid <> heartbeat.pid
                and held.application_name like 'farthing%'
                and split_part(held.application_name, ' ', 2) = split_part(heartbeat.application_name, ' ', 2)
                and held.application_name not like 'farthing-heartbeat %'
                and (held.xact_start is not null
                     or exists (select from pg_locks l
                                 where l.pid = held.pid and l.locktype = 'advisory' and l.granted)))) as holds
      from pg_stat_activity heartbeat
     where heartbeat.datname = current_database()
       and heartbeat.application_name like 'farthing-heartbeat %'
       and heartbeat.application_name <> $1
     group by 1`,
  values: ({ own }) => [own],
  decode: (raw) => raw,
}

/** Cancel what a session of a process of ours is doing. */
export const cancelStatement: Query<{ readonly pid: number }, never, void> = {
  name: 'cancel_statement',
  text: `
    select pg_cancel_backend(pid)
      from pg_stat_activity
     where pid = $1 and datname = current_database() and application_name like 'farthing%'`,
  values: ({ pid }) => [pid],
  decode: () => undefined,
}

/** End all sessions of a process but those that show its heartbeat, whatever they do. */
export const endSessions: Query<{ readonly process: string }, never, void> = {
  name: 'end_sessions',
  text: `
    select pg_terminate_backend(pid)
      from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and application_name like 'farthing%'
       and split_part(application_name, ' ', 2) = $1
       and application_name not like 'farthing-heartbeat %'`,
  values: ({ process }) => [process],
  decode: () => undefined,
}

/** The migrations that were applied, in their order. */
export const listMigrations: Query<void, { name: string }, string> = {
  name: 'list_migrations',
  text: `select name from migration order by name collate "C"`,
  values: () => [],
  decode: ({ name }) => name,
}

/** Of PostgreSQL, for people: `18.4`. */
export const findServerVersion: Query<void, { version: string }, string> = {
  name: 'find_server_version',
  text: `select current_setting('server_version') as version`,
  values: () => [],
  decode: ({ version }) => version,
}
