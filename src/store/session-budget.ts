import type { Connection } from './connect.ts'
import { ask } from './embedded/connection.ts'

/** Sessions that a process opens at most, in all of its threads, unless it is told otherwise. */
export const SESSIONS = { fallback: 24, min: 16, max: 200 } as const

/** Of each process, whatever its number of sessions is: the heartbeat; keys and probes. */
const HEARTBEAT_SESSIONS = 1
const PROBE_SESSIONS = 3
const LARGE_THREADS = 2
/** A transaction of settlement, the sealing of hours beside it, and one for all else. */
const SETTLING_SESSIONS = 3

/** Sessions by what they are for. */
export interface SessionBudget {
  readonly heartbeat: number
  /** Keys, probes, and the cancelling of questions. */
  readonly probes: number
  /** Events, and the few other things that are written. */
  readonly writing: number
  /** Questions and dry runs. */
  readonly reading: number
  /** Of each of the threads for large deliveries. */
  readonly largeThread: number
  /** Of the thread for settlement. */
  readonly settling: number
}

/** How a process spends its sessions: all together they are no more than `sessions`. */
export function sessionBudget(sessions: number): SessionBudget {
  const rest = sessions - HEARTBEAT_SESSIONS - PROBE_SESSIONS
  const largeThread = Math.max(1, Math.floor(rest / 10))
  const settling = Math.max(SETTLING_SESSIONS, Math.floor(rest / 5))
  const reading = Math.floor((rest * 3) / 10)
  const writing = rest - LARGE_THREADS * largeThread - settling - reading
  return {
    heartbeat: HEARTBEAT_SESSIONS,
    probes: PROBE_SESSIONS,
    writing,
    reading,
    largeThread,
    settling,
  }
}

/** How many sessions this user may have in this database; null where nothing limits it, such as a superuser. */
interface Room {
  readonly max_connections: number
  readonly reserved: number
  readonly of_role: number | null
  readonly of_database: number | null
}

const ROOM = `
  select current_setting('max_connections')::int as max_connections,
         current_setting('superuser_reserved_connections')::int
           + coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0) as reserved,
         (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user and not rolsuper) as of_role,
         (select nullif(datconnlimit, -1) from pg_database, pg_roles
           where datname = current_database() and rolname = current_user and not rolsuper) as of_database`

export type SessionCode = 'database/too_few_sessions'

export interface TooFewSessions {
  readonly ok: false
  readonly code: SessionCode
  readonly detail: string
}

/** @returns why this database cannot hold one process, in one line for the person who can change it */
export async function refuseFewSessions(
  connection: Connection,
  sessions: number,
): Promise<TooFewSessions | undefined> {
  const room = await ask<Room>(connection, ROOM)
  return room && judgeRoom(room, sessions)
}

export function judgeRoom(room: Room, sessions: number): TooFewSessions | undefined {
  const { max_connections: max, reserved, of_role: ofRole, of_database: ofDatabase } = room
  const limits = [
    {
      free: max - reserved,
      what: `max_connections is ${max}, of which ${reserved} are reserved`,
      raise: 'max_connections',
    },
    {
      free: ofRole ?? Infinity,
      what: `its role may have ${ofRole}`,
      raise: 'the connection limit of the role',
    },
    {
      free: ofDatabase ?? Infinity,
      what: `the database may have ${ofDatabase}`,
      raise: 'the connection limit of the database',
    },
  ]
  const { free, what, raise } = limits.reduce((least, limit) => (limit.free < least.free ? limit : least))
  if (free >= sessions) return undefined
  const lower = free >= SESSIONS.min ? `, or set FARTHING_SESSIONS to ${free}` : ''
  const detail = `The database has too few sessions for one process, which opens up to ${sessions} (${what}): raise ${raise}${lower}.`
  return { ok: false, code: 'database/too_few_sessions', detail }
}
