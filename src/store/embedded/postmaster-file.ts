import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readNoLink } from './no-links.ts'
import { saysGone, startOf } from './process-identity.ts'

/** Whether the system lists its processes as files, so that orphans can be seen. */
export const HAS_PROC = existsSync('/proc/self/cwd')

/**
 * The id of the postmaster (PostgreSQL's first process) that runs on a data directory, or undefined when none
 * does. Its pid file alone proves nothing: after a crash its number may be another program's by now.
 * Throws what the system refuses: then it is not known.
 */
export function runningPostmaster(pgdata: string): number | undefined {
  const pid = pidInFile(pgdata)
  return pid !== undefined && worksIn(pid, pgdata) ? pid : undefined
}

/** Whether the server says that it takes connections. Asking it earlier would fill its log with refusals. */
export function saysReady(pgdata: string): boolean {
  try {
    return linesOf(pgdata)[STATUS_LINE]?.trim() === 'ready'
  } catch {
    // Asked again soon.
    return false
  }
}

/** Counted from 0: process id, directory, start, port, socket, address, shared memory, status. */
const STATUS_LINE = 7

/** What postmaster.pid says, true or not. */
function pidInFile(pgdata: string): number | undefined {
  const pid = Number(linesOf(pgdata)[0])
  return Number.isInteger(pid) && pid > 1 ? pid : undefined
}

function linesOf(pgdata: string): string[] {
  try {
    return readNoLink(join(pgdata, 'postmaster.pid')).split('\n')
  } catch (error) {
    if (saysGone(error)) return []
    throw error
  }
}

/**
 * Server processes of a data directory whose postmaster has been killed. A new server must not start before
 * they have ended; they do so by themselves, unless a statement keeps them busy.
 */
export function orphans(pgdata: string): number[] {
  if (!HAS_PROC) return []
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => worksIn(pid, pgdata))
}

/**
 * Whether a process is PostgreSQL at work in `pgdata`: all its processes have it as their working directory.
 * Without /proc (macOS) only the postmaster is recognized, by its command line.
 */
function worksIn(pid: number, pgdata: string): boolean {
  if (startOf(pid) === undefined) return false
  if (!HAS_PROC) return hasCommandLine(pid, pgdata)
  try {
    const isPostgres = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres'
    return isPostgres && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(pgdata)
  } catch (error) {
    if (saysGone(error) || isOthers(pid, pgdata)) return false
    throw error
  }
}

/** A process of another user than the data's is no server of it. Needs no descriptor. */
function isOthers(pid: number, pgdata: string): boolean {
  const stat = statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  return stat === undefined || stat.uid !== statSync(pgdata, { throwIfNoEntry: false })?.uid
}

function hasCommandLine(pid: number, pgdata: string): boolean {
  const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  if (ps.error) throw ps.error
  const { stdout } = ps
  return (stdout ?? '').includes(`postgres -D ${pgdata} `)
}
