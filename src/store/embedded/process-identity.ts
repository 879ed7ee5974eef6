import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { systemCode } from './refusal.ts'

const HAS_PROC = existsSync('/proc/self/stat')

/** The system did not say: it has refused a descriptor, or a right. Nothing is removed or stopped for that. */
export const UNKNOWN = 'unknown'

/** Does this error say that something is not there? All others say nothing about it. */
export function saysGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')
}

/**
 * When a process started, as an opaque text that never repeats for a process id; undefined when it has ended, and only
 * then; UNKNOWN when the system does not say. A zombie has ended: it only waits for a parent that may never ask.
 */
export function startOf(pid: number): string | undefined {
  return HAS_PROC ? startFromProc(pid) : startFromPs(pid)
}

function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command in parentheses may hold anything: the fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    if (state === 'Z' || state === 'X') return undefined
    return `${fields[19]}.${bootId().slice(0, 8)}`
  } catch (error) {
    return saysGone(error) && existsSync(BOOT_ID) ? undefined : UNKNOWN
  }
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** Ticks since boot repeat after a restart of the machine (process 1 of a container has often the same). */
function bootId(): string {
  return readFileSync(BOOT_ID, 'latin1')
}

function startFromPs(pid: number): string | undefined {
  const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  if (ps.error) return UNKNOWN
  const { stdout } = ps
  const [state, ...start] = (stdout ?? '').trim().split(/\s+/)
  if (!state || state.startsWith('Z')) return undefined
  return start.join('').replace(/[^A-Za-z0-9]/g, '')
}

/**
 * A file name that stands for one use of a data directory by one process: `<pid>-<start>-<random>`. The random
 * part tells apart two uses within one process.
 */
export function newIdentity(): string {
  const start = startOf(process.pid)
  if (start === undefined || start === UNKNOWN) {
    const what = 'EMFILE: the system does not say when this process has started'
    throw Object.assign(new Error(what), { code: 'EMFILE' })
  }
  return `${process.pid}-${start}-${randomBytes(4).toString('hex')}`
}

/** Whether the process that an identity was made in is still that process, and runs; or may be. */
export function isAlive(identity: string): boolean {
  const [pid, start] = identity.split('-')
  if (start === undefined) return false
  const now = startOf(Number(pid))
  return now === start || now === UNKNOWN
}
