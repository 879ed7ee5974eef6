import { readdirSync, readFileSync } from 'node:fs'

/**
 * MiB that a process and all that it has started hold, shared pages once (PSS): the buffers of PostgreSQL are shared by all of
 * its sessions. NaN where there is no /proc.
 */
export function memoryMib(roots: readonly number[]): number {
  try {
    const parents = new Map(pids().map((pid) => [pid, parentOf(pid)]))
    const isBelow = (pid: number | undefined): boolean =>
      pid !== undefined && (roots.includes(pid) || isBelow(parents.get(pid)))
    return [...parents.keys()].filter(isBelow).reduce((sum, pid) => sum + pssKib(pid), 0) / 1024
  } catch {
    return NaN
  }
}

function pids(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
}

function parentOf(pid: number): number | undefined {
  const text = read(pid, 'stat')
  // A name may hold blanks and brackets.
  const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  return parent > 1 ? parent : undefined
}

function pssKib(pid: number): number {
  return Number(/^Pss: +(\d+) kB/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? 0)
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    // It has ended since it was listed.
    return ''
  }
}
