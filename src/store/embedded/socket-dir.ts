import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNoLink, writeNoLink } from './no-links.ts'
import { makeOwn, ownerId, type Place } from './place.ts'
import { type Refused, refuse } from './refusal.ts'
import { canReach, isNobody } from './server-user.ts'

/** The port only names the socket's file: nothing listens on a network. */
export const PORT = 5432

/** `sun_path` is 104 bytes on macOS and 108 on Linux, one of them for the end. */
const PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107

/** In `home`, if the socket is not: the directory where it is. */
const NOTE = 'socket-is-at.txt'

/**
 * The directory of the server's socket, made if it is missing. Call in turn.
 *
 * Anyone who can enter it is the database's superuser, so it has mode 0700 and belongs to the server's user. It is
 * inside the place, or in a temporary directory when the path would be too long for the system.
 */
export function socketDir(place: Place): { readonly ok: true; readonly dir: string } | Refused {
  const own = join(place.home, 'socket')
  if (fits(own)) {
    makeOwn(own, place)
    return { ok: true, dir: own }
  }
  const noted = readNote(place.home)
  const name = `farthing-${createHash('sha256').update(place.home).digest('hex').slice(0, 12)}`
  const candidates = [tmpdir(), '/tmp'].filter((parent) => existsSync(parent) && canReach(place.user, parent))
  for (const dir of [...(noted ? [noted] : []), ...candidates.map((parent) => join(parent, name))]) {
    if (dir === noted) takeFromNobody(dir, place)
    if (!fits(dir) || !makePrivate(dir, place)) continue
    writeNoLink(join(place.home, NOTE), `${dir}\n`)
    return { ok: true, dir }
  }
  const detail = `The path ${own} is too long for a socket (${PATH_BYTES_MAX} bytes), and so is ${tmpdir()}`
  return refuse('server/socket_path', `${detail}: set FARTHING_DATA_DIR or TMPDIR to a shorter path.`)
}

function fits(dir: string): boolean {
  return Buffer.byteLength(join(dir, `.s.PGSQL.${PORT}`)) <= PATH_BYTES_MAX
}

function readNote(home: string): string | undefined {
  const note = join(home, NOTE)
  return existsSync(note) ? readNoLink(note).trim() : undefined
}

/** What an earlier version had as nobody's. The link is not followed if it is one by now. */
function takeFromNobody(dir: string, { user }: Place): void {
  const stat = lstatSync(dir, { throwIfNoEntry: false })
  if (user && stat && isNobody(stat.uid)) lchownSync(dir, user.uid, user.gid)
}

/** False when something else has the name: in a temporary directory anyone could have put it there. */
function makePrivate(dir: string, place: Place): boolean {
  const { user } = place
  if (!existsSync(dir)) {
    mkdirSync(dir, { mode: 0o700 })
    if (user) chownSync(dir, user.uid, user.gid)
  }
  const stat = lstatSync(dir)
  if (!stat.isDirectory() || stat.uid !== ownerId(place)) return false
  chmodSync(dir, 0o700)
  return true
}
