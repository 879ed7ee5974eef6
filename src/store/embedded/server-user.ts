import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Refused, refuse } from './refusal.ts'

/** The unprivileged user that runs the server when Farthing runs as root, which PostgreSQL refuses. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

const PREFERRED = ['postgres', 'nobody']

/**
 * Who runs the server; `user` is undefined when it is simply the user of this process.
 *
 * Existing data decides: its owner runs the server, so that a start with sudo takes nothing away from the user
 * who made the data.
 * @param pgdata PostgreSQL's own directory, which may not exist yet
 */
export function serverUser(pgdata: string): { readonly ok: true; readonly user?: ServerUser } | Refused {
  if (process.geteuid?.() !== 0) return { ok: true }
  const owner = statSync(pgdata, { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { ok: true, user: { uid: owner.uid, gid: owner.gid } }
  const users = passwd()
  const user = PREFERRED.map((name) => users.get(name)).find((found) => found !== undefined)
  if (user) return { ok: true, user }
  const detail =
    'PostgreSQL does not run as root, and there is no user postgres or nobody here: add one, or start'
  return refuse('server/no_user', `${detail} as another user, or set DATABASE_URL.`)
}

function passwd(): Map<string, ServerUser> {
  const users = new Map<string, ServerUser>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    // Root by another name is no help; macOS writes some system users as negative numbers.
    if (name && Number(uid) > 0) users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  return users
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
