import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readNoLink, writeNoLink } from './no-links.ts'
import { type Refused, refuse, systemCode } from './refusal.ts'
import { canReach, serverUser, type ServerUser } from './server-user.ts'

/** Where a server lives: all that belongs to it is below `home`. */
export interface Place {
  /** What the user has named: for messages. */
  readonly dataDir: string
  readonly home: string
  /** PostgreSQL's own directory. */
  readonly pgdata: string
  readonly logs: string
  readonly user?: ServerUser
  /** The name of the server's user, if it was made for this place just now. */
  readonly madeUser?: string
}

/** Left in a data directory whose server lives elsewhere; its first line says where. */
const NOTE = 'server-is-at.txt'

/**
 * Find or make the place of the data directory's server.
 *
 * It is the data directory itself, unless Farthing runs as root and the server's user cannot enter it (a clone
 * below a home of mode 0700). Then it is a directory below `sharedDir`, and a note in the data directory says
 * which, so that the same data is found again, even when the data directory is moved. A directory that has no
 * note pointing to it is never used again: who deletes the data directory starts afresh.
 */
export function findPlace(
  dataDir: string,
  sharedDir: string,
): { readonly ok: true; readonly place: Place } | Refused {
  makeDataDir(dataDir)
  const open = refuseOpenDirectory(dataDir)
  if (open) return open
  accessSync(dataDir, constants.W_OK | constants.X_OK)
  const real = realpathSync(dataDir)
  const noted = readNote(real)
  if (noted !== undefined && !existsSync(noted)) {
    const detail = `The data of ${dataDir} is in ${noted} (${join(dataDir, NOTE)} says so), which is not there`
    return refuse(
      'server/data_unreachable',
      `${detail}: bring it back, or delete ${dataDir} to start afresh.`,
    )
  }
  const home = noted ?? real
  const found = serverUser(join(home, 'postgres'))
  if (!found.ok) return found
  if (canReach(found.user, home)) return { ok: true, place: placeAt(dataDir, home, found) }
  if (noted !== undefined || existsSync(join(home, 'postgres'))) {
    const detail = `There is data in ${home} that the server's user (id ${found.user?.uid}) cannot reach`
    return refuse(
      'server/data_unreachable',
      `${detail}: let others enter every directory above it (chmod o+x).`,
    )
  }
  try {
    return { ok: true, place: placeAt(dataDir, makeElsewhere(real, sharedDir), found) }
  } catch (error) {
    const detail = `The server's user (id ${found.user?.uid}) can enter neither ${real} nor a directory of its own`
    const advice = 'set FARTHING_DATA_DIR to a directory that others can enter'
    return refuse('server/data_unreachable', `${detail} below ${sharedDir} (${String(error)}): ${advice}.`)
  }
}

/** A directory in which everybody may make and rename files. A group may (Kubernetes' fsGroup). */
export function refuseOpenDirectory(dataDir: string): Refused | undefined {
  const mode = modeOf(dataDir)
  if (mode === undefined || (mode & 0o002) === 0) return undefined
  const what = `Everybody can write to the data directory ${dataDir}, and so replace the admin key and PostgreSQL's files`
  return refuse(
    'server/data_dir',
    `${what}: run chmod o-w ${dataDir}, or set FARTHING_DATA_DIR to another one.`,
  )
}

/** Undefined for what is not there or cannot be looked at: its use is refused with the reason. */
function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}

/**
 * Make the directory and those above it. As root they can be entered, but not listed, by the server's user,
 * whatever the umask. (`mkdir` with `recursive` never returns below /proc, in Node 20.)
 */
function makeDataDir(dataDir: string): void {
  if (existsSync(dataDir) && statSync(dataDir).isDirectory()) return
  const parent = dirname(resolve(dataDir))
  if (!existsSync(parent)) makeDataDir(parent)
  try {
    mkdirSync(dataDir)
    if (process.geteuid?.() === 0) chmodSync(dataDir, 0o711)
  } catch (error) {
    // Another process that starts at the same time may have made it.
    if (systemCode(error) !== 'EEXIST' || !statSync(dataDir).isDirectory()) throw error
  }
}

function placeAt(
  dataDir: string,
  home: string,
  { user, made }: { readonly user?: ServerUser; readonly made?: string },
): Place {
  const place = { dataDir, home, pgdata: join(home, 'postgres'), logs: join(home, 'log') }
  return { ...place, ...(user ? { user } : {}), ...(made === undefined ? {} : { madeUser: made }) }
}

/** Of the user who runs the server. */
export function ownerId({ user }: Place): number {
  return user?.uid ?? process.geteuid?.() ?? 0
}

function readNote(dataDir: string): string | undefined {
  const note = join(dataDir, NOTE)
  return existsSync(note) ? readNoLink(note).split('\n')[0] : undefined
}

/** Make a directory that belongs to the server's user and is closed to all others. Can be run again. */
export function makeOwn(path: string, { user }: Place): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  if (user) lchownSync(path, user.uid, user.gid)
}

/** Make root's directory for what the server's user must reach, whatever the umask. */
export function makeShared(sharedDir: string): void {
  if (mkdirSync(sharedDir, { recursive: true }) !== undefined) chmodSync(sharedDir, 0o755)
}

/** The note is linked into place, so that of two processes that start at once both follow the first one's. */
function makeElsewhere(dataDir: string, sharedDir: string): string {
  const home = makeNewDirectory(sharedDir, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))
  const draft = join(dataDir, `${NOTE}.${process.pid}`)
  writeNoLink(draft, `${home}\nThe server's user cannot enter this directory, so its data is there.\n`)
  try {
    linkSync(draft, join(dataDir, NOTE))
    return home
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    rmSync(home, { recursive: true })
    return readNote(dataDir) ?? home
  } finally {
    rmSync(draft)
  }
}

function makeNewDirectory(parent: string, name: string): string {
  makeShared(parent)
  for (let count = 1; ; count += 1) {
    const path = join(parent, count === 1 ? name : `${name}-${count}`)
    try {
      mkdirSync(path)
      chmodSync(path, 0o755)
      return path
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }
}
