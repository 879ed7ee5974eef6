import pg from 'pg'
import type { Connection } from './embedded/connection.ts'
import { prepareSession, sessionSettings } from './embedded/session-settings.ts'
import type { Log } from './embedded/log.ts'

/** Between two looks at whom a session waits for. */
const LOOK_EVERY_MS = 2_000

interface Holder {
  readonly pid: number
  readonly name: string
  readonly role: string | null
  readonly since: string | null
}

/** The sessions that keep another one waiting, for whichever lock. */
const BLOCKING = `
  select pid, application_name as name, usename as role,
         to_char(coalesce(xact_start, state_change, backend_start) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
    from pg_catalog.pg_stat_activity
   where pid = any (pg_catalog.pg_blocking_pids($1))
   order by pid`

export interface HolderWatch {
  /** Who was seen last, in words; undefined: nobody yet. */
  holders(): string | undefined
  /** Ask PostgreSQL to end the statement of the session that waits. */
  cancel(): void
  stop(): Promise<void>
}

/** Look, on a session of its own, whom the session `pid` waits for, and say so in the log, once for each holder. */
export async function watchHolders(connection: Connection, pid: number, log?: Log): Promise<HolderWatch> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  await prepareSession(client, sessionSettings(connection, { application_name: 'farthing-migrate-watch' }))
  let last: string | undefined
  const look = async () => {
    const { rows } = await client.query<Holder>(BLOCKING, [pid])
    if (rows.length === 0) return
    const seen = rows.map(inWords).join(', ')
    if (seen !== last) log?.warn({ holders: rows }, `The migration waits for ${seen}`)
    last = seen
  }
  const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS).unref()
  return {
    holders: () => last,
    cancel: () => void client.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined),
    async stop() {
      clearInterval(looking)
      await client.end().catch(() => undefined)
    },
  }
}

function inWords({ pid, name, role, since }: Holder): string {
  const who = [name && `"${name}"`, role && `of role ${role}`].filter(Boolean).join(' ')
  return `session ${pid} (${who || 'unknown'}${since === null ? '' : `, since ${since}`})`
}
