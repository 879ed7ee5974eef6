import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'

const HAS_PROC = existsSync('/proc/self/stat')

/**
 * When a process started, as an opaque text that never repeats for a process id; undefined when it has ended.
 * A zombie has ended: it only waits for a parent that may never ask.
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
  } catch {
    return undefined
  }
}

/** Ticks since boot repeat after a restart of the machine (process 1 of a container has often the same). */
function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')
}

function startFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state, ...start] = (stdout ?? '').trim().split(/\s+/)
  if (!state || state.startsWith('Z')) return undefined
  return start.join('').replace(/[^A-Za-z0-9]/g, '')
}

/**
 * A file name that stands for one use of a data directory by one process: `<pid>-<start>-<random>`. The random
 * part tells apart two uses within one process.
 */
export function newIdentity(): string {
  return `${process.pid}-${startOf(process.pid)}-${randomBytes(4).toString('hex')}`
}

/** Whether the process that an identity was made in is still that process, and runs. */
export function isAlive(identity: string): boolean {
  const [pid, start] = identity.split('-')
  return start !== undefined && startOf(Number(pid)) === start
}
