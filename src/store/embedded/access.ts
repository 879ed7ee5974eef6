import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ask, type Connection } from './connection.ts'
import { readNoLink, replaceNoLink } from './no-links.ts'
import { ownerId, type Place } from './place.ts'
import { send } from './postmaster.ts'
import { runningPostmaster } from './postmaster-file.ts'
import { systemCode } from './refusal.ts'
import { userName } from './user-names.ts'

/** PostgreSQL's rules of who may connect, and which users of the system may be which roles. */
export const HBA = 'pg_hba.conf'
export const IDENT = 'pg_ident.conf'

/** In PostgreSQL's directory, so that a copy of the data has the password that its role has. */
const PASSWORD = 'farthing.password'

const MAP = 'farthing'
const HEAD = '# Written by Farthing at each start: what you change here is lost.\n'

/**
 * Say who may connect, also to data of an earlier version and to a server that runs. Call in turn.
 *
 * The system says at the socket which user somebody is (`peer`): the server's user and root may enter, as any role, and
 * nobody else, even if the socket's directory is opened. A user without a name cannot be told so; then there is a
 * password, in a file that the same two can read.
 * @returns how to connect now
 */
export function letIn(place: Place, connection: Connection): Connection {
  const owner = userName(ownerId(place))
  if (owner !== undefined) {
    writeRules(place, `peer map=${MAP}`, [userName(0) ?? 'root', owner])
    return connection
  }
  const password = readPassword(place)
  writeRules(place, password === undefined ? 'trust' : 'scram-sha-256', [])
  return password === undefined ? connection : { ...connection, password }
}

/**
 * Where the server's user has no name and no password is set yet: set one, and let nobody in without it. Until then
 * the socket's directory alone keeps others out. A server must run, since only it can set one for such a user.
 * @returns how to connect from now on
 */
export async function askForPassword(place: Place, connection: Connection): Promise<Connection> {
  if (connection.password !== undefined || userName(ownerId(place)) !== undefined) return connection
  const password = randomBytes(32).toString('base64url')
  await ask({ ...connection, database: 'postgres' }, setPassword(connection.user, password))
  replaceNoLink(join(place.pgdata, PASSWORD), `${password}\n`, place.user)
  return letIn(place, connection)
}

/** Whatever the server's files say about hashes. Neither name nor password has a character that SQL reads otherwise. */
function setPassword(role: string, password: string): string {
  return `do $$ begin
    perform pg_catalog.set_config('password_encryption', 'scram-sha-256', true);
    alter role ${role} password '${password}';
  end $$`
}

function readPassword({ pgdata }: Place): string | undefined {
  const file = join(pgdata, PASSWORD)
  return existsSync(file) ? readNoLink(file).trim() : undefined
}

function writeRules(place: Place, method: string, users: readonly string[]): void {
  const map = [...new Set(users)].map((user) => `${MAP} "${user.replaceAll('"', '""')}" all\n`)
  const rules = `local all all ${method}\nlocal replication all reject\nhost all,replication all all reject\n`
  const files = { [IDENT]: HEAD + map.join(''), [HBA]: HEAD + rules }
  const changed = Object.entries(files).filter(([name, text]) => textOf(join(place.pgdata, name)) !== text)
  for (const [name, text] of changed) replaceNoLink(join(place.pgdata, name), text, place.user)
  const running = changed.length > 0 ? runningPostmaster(place.pgdata) : undefined
  if (running !== undefined) send(running, 'SIGHUP')
}

/** Undefined for whatever is no file, such as a link. */
function textOf(file: string): string | undefined {
  try {
    return readNoLink(file)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EACCES'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
