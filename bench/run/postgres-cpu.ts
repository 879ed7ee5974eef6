import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in hundredths of a second for everyone who asks. */
const TICKS_PER_SECOND = 100

/**
 * Seconds of CPU that a PostgreSQL server has used so far, in all its processes: those that have ended are counted
 * by the first one. NaN where there is no /proc.
 */
export function postgresCpuSeconds(serverPid: number): number {
  try {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const ticks = processes.map((pid) => ticksOf(Number(pid), serverPid))
    return ticks.reduce((sum, some) => sum + some, 0) / TICKS_PER_SECOND
  } catch {
    return NaN
  }
}

function ticksOf(pid: number, serverPid: number): number {
  const fields = readStat(pid)
  const [parent, user, system, endedUser, endedSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]))
  if (pid === serverPid) return user! + system! + endedUser! + endedSystem!
  return parent === serverPid ? user! + system! : 0
}

/** From the third field of /proc/PID/stat on: the second is a name, which may hold blanks and brackets. */
function readStat(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // It has ended since it was listed.
    return []
  }
}
