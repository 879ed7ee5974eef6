import { spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { readNoLink } from './no-links.ts'
import { ownerId, type Place } from './place.ts'
import { oneLine, type Refused, refuse, refuseFullDisk, systemCode } from './refusal.ts'
import { serverProcess } from './server-process.ts'
import { userName } from './user-names.ts'

const UNFINISHED = 'postgres.unfinished-'
/** Of the log from which PostgreSQL recovers (WAL). */
const WAL_FILE_MIB = 4

/**
 * Make PostgreSQL's directory if there is none, and refuse one that this version cannot read. Call in turn.
 *
 * It is made under another name and renamed when it is complete and on disk: a kill leaves only something to
 * remove at the next start.
 */
export function preparePgdata(place: Place, binaries: Binaries): Refused | undefined {
  removeUnfinished(place.home)
  return existsSync(place.pgdata) ? checkPgdata(place, binaries) : initdb(place, binaries)
}

/** `initdb` outlives a killed Farthing for a second, and may still write: what is left then goes next time. */
function removeUnfinished(home: string): void {
  for (const name of readdirSync(home).filter((each) => each.startsWith(UNFINISHED))) {
    try {
      rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5 })
    } catch (error) {
      if (systemCode(error) !== 'ENOTEMPTY') throw error
    }
  }
}

function checkPgdata(place: Place, binaries: Binaries): Refused | undefined {
  const { pgdata, user } = place
  if (user && statSync(pgdata).uid !== user.uid) giveAll(pgdata, user)
  const owner = statSync(pgdata).uid
  if (!user && owner !== process.geteuid?.()) {
    const detail = `The data in ${pgdata} belongs to user ${owner}, and PostgreSQL runs only as its owner`
    return refuse('server/data_dir', `${detail}: start Farthing as that user or as root.`)
  }
  return checkVersion(pgdata, binaries)
}

function checkVersion(pgdata: string, binaries: Binaries): Refused | undefined {
  const version = join(pgdata, 'PG_VERSION')
  if (!existsSync(version)) {
    const detail = `${pgdata} is there, but is no PostgreSQL data directory`
    return refuse(
      'server/data_dir',
      `${detail}: move it away, or set FARTHING_DATA_DIR to another directory.`,
    )
  }
  const major = readNoLink(version).trim()
  if (major !== binaries.major) {
    const detail = `The data in ${pgdata} is of PostgreSQL ${major}, this Farthing has ${binaries.major}`
    const advice =
      'back it up with the version of Farthing that made it (`farthing backup FILE`), and restore that into a new FARTHING_DATA_DIR'
    return refuse('server/other_major', `${detail}: ${advice}.`)
  }
  return undefined
}

function initdb(place: Place, { native }: Binaries): Refused | undefined {
  const uid = ownerId(place)
  if (userName(uid) === undefined) return refuseNameless(uid)
  const fresh = join(place.home, `${UNFINISHED}${process.pid}`)
  mkdirSync(fresh, { mode: 0o700 })
  if (place.user) chownSync(fresh, place.user.uid, place.user.gid)
  const args = [
    `--pgdata=${fresh}`,
    '--username=farthing',
    // Until the rules are written (access.ts).
    '--auth-local=peer',
    '--auth-host=reject',
    '--encoding=UTF8',
    // Texts sort by code point, on every machine and for ever: no C library can reorder an index.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    // A new file is brought to the disk whole before anything is written to it, and commits wait for that (D-030).
    `--wal-segsize=${WAL_FILE_MIB}`,
  ]
  const { status, stdout, stderr, error } = spawnSync(join(native, 'bin/initdb'), args, {
    ...serverProcess(place.user),
    encoding: 'utf8',
  })
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    return refuseInitdb(place, error?.message ?? `${stdout}\n${stderr}`)
  }
  renameSync(fresh, place.pgdata)
  syncDirectory(place.home)
  return undefined
}

/** PostgreSQL's programs that make a database ask for the name of their user, and end without one. */
function refuseNameless(uid: number): Refused {
  const detail = `PostgreSQL makes a new database only for a user that has a name, and user ${uid} has none here`
  const advice = `start as a user of /etc/passwd (1000 in Farthing's image), add a line for ${uid} to it, or set DATABASE_URL`
  return refuse('server/no_user', `${detail}: ${advice}.`)
}

function refuseInitdb(place: Place, output: string): Refused {
  if (/No space left|Disk quota/.test(output)) return refuseFullDisk(place.dataDir)
  const reason =
    output.split('\n').findLast((line) => /error|fatal/i.test(line)) ?? oneLine(output).slice(-200)
  return refuse(
    'server/initdb_failed',
    `A new database could not be made in ${place.home}: ${oneLine(reason)}`,
  )
}

/** So that the rename is still there after a power cut. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/**
 * Data that root has copied here (a file backup brought back) belongs to root; the server could not read it. That of
 * nobody is given to the user who runs the server now (server-user.ts).
 */
function giveAll(path: string, { uid, gid }: { uid: number; gid: number }): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, gid)
  }
  lchownSync(path, uid, gid)
}
