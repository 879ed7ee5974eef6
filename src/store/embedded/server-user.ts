import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { runningPostmaster } from './postmaster-file.ts'
import { oneLine, type Refused, refuse } from './refusal.ts'
import { userEntry } from './user-names.ts'

/** The unprivileged user that runs the server when Farthing runs as root, which PostgreSQL refuses. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Made if there is none of the others. */
const OWN = 'farthing'
/** The last one is that of macOS. */
const USERS = [OWN, 'postgres', '_postgres']
/** Of nearly every system. */
const NOBODY = 65_534

export type FoundUser =
  | {
      readonly ok: true
      readonly user?: ServerUser
      /** The name of the user, if it was made just now. */
      readonly made?: string
    }
  | Refused

/**
 * Who runs the server; `user` is undefined when it is simply the user of this process.
 *
 * Existing data decides: its owner runs the server, so that a start with sudo takes nothing away from the user
 * who made the data. Root never has a server run as `nobody`, since other programs run as that user too, and could
 * enter the database. What an earlier version of Farthing has made so, as root, is given to the new user.
 * @param pgdata PostgreSQL's own directory, which may not exist yet
 */
export function serverUser(pgdata: string): FoundUser {
  if (process.geteuid?.() !== 0) return { ok: true }
  const owner = statSync(pgdata, { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) {
    if (!isNobody(owner.uid) || runningPostmaster(pgdata) !== undefined)
      return { ok: true, user: { uid: owner.uid, gid: owner.gid } }
    if (statSync(dirname(pgdata)).uid !== 0) return refuseNobody(pgdata)
  }
  const user = USERS.map(userEntry).find((found) => found !== undefined && found.uid !== 0)
  return user ? { ok: true, user: idsOf(user) } : makeUser()
}

export function isNobody(uid: number): boolean {
  return uid === NOBODY || uid === userEntry('nobody')?.uid
}

function refuseNobody(pgdata: string): Refused {
  const detail = `The data in ${pgdata} belongs to the user nobody, as whom other programs run too`
  const advice = `start Farthing as that user, or give all of ${dirname(pgdata)} to another (chown -R)`
  return refuse('server/no_user', `${detail}, so root starts no PostgreSQL as that user: ${advice}.`)
}

function makeUser(): FoundUser {
  const group = hasGroup(OWN) ? ['--gid', OWN] : ['--user-group']
  const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin']
  const { stderr, error } = spawnSync('useradd', ['--system', ...group, ...home, OWN], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  // Another process may have made it at the same time.
  const user = userEntry(OWN)
  if (user && user.uid !== 0) return { ok: true, user: idsOf(user), made: OWN }
  const reason = oneLine(error?.message ?? stderr) || 'useradd has made none'
  const detail = `PostgreSQL does not run as root, there is no user ${OWN} or postgres, and none could be made`
  const advice = `run useradd --system ${OWN} (or add a line to /etc/passwd), start as another user, or set DATABASE_URL`
  return refuse('server/no_user', `${detail} (${reason}): ${advice}.`)
}

function hasGroup(name: string): boolean {
  const file = '/etc/group'
  return (
    existsSync(file) &&
    readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`))
  )
}

/** Only these: what a program is started with has no name. */
function idsOf({ uid, gid }: ServerUser): ServerUser {
  return { uid, gid }
}

/**
 * Whether `user` can reach a path: every directory above it can be entered, and the path itself too (or run, if
 * it is a file). Read from the permission bits, as there may be no program to ask (an image without a shell).
 */
export function canReach(user: ServerUser | undefined, path: string): boolean {
  if (!user) return true
  const real = realpathSync(path)
  for (let each = real; ; each = dirname(each)) {
    if (!mayExecute(user, each)) return false
    if (each === dirname(each)) return true
  }
}

function mayExecute({ uid, gid }: ServerUser, path: string): boolean {
  const stat = statSync(path)
  if (stat.uid === uid) return (stat.mode & 0o100) !== 0
  if (stat.gid === gid) return (stat.mode & 0o010) !== 0
  return (stat.mode & 0o001) !== 0
}
