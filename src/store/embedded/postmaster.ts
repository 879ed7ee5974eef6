import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { ask, type Connection } from './connection.ts'
import type { Place } from './place.ts'
import { runningPostmaster } from './postmaster-file.ts'
import { startOf } from './process-identity.ts'
import { systemCode } from './refusal.ts'
import { serverProcess } from './server-process.ts'

const POLL_MS = 20
/** Recovery after a crash reads what was written since the last checkpoint: at most some GB, some minutes. */
const START_PATIENCE_MS = 10 * 60_000
const STOP_PATIENCE_MS = 30_000

/**
 * Start PostgreSQL and leave it to itself: in a process group of its own, so that Ctrl-C in a terminal reaches
 * only Farthing, which then stops it in good order; and with files for its output, so that it outlives a killed
 * Farthing unharmed.
 * @returns its process id, or undefined when it could not even be started
 */
export function launch(
  place: Place,
  binaries: Binaries,
  settings: Readonly<Record<string, string>>,
): number | undefined {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const output = openSync(firstOutput(place), 'w')
  const program = join(binaries.native, 'bin/postgres')
  const child = spawn(program, ['-D', place.pgdata, ...flags], {
    ...serverProcess(place.user),
    detached: true,
    stdio: ['ignore', output, output],
  })
  // Reported by its absence: whoever waits for it sees that there is no such process.
  child.on('error', () => {})
  child.unref()
  closeSync(output)
  return child.pid
}

/**
 * Wait until the server answers, or has ended.
 * @returns false when it has ended, or did not answer in time
 */
export async function answers(connection: Connection, pid: number): Promise<boolean> {
  const deadline = Date.now() + START_PATIENCE_MS
  while (Date.now() < deadline) {
    try {
      await ask({ ...connection, database: 'postgres' }, 'select 1')
      return true
    } catch (error) {
      // Too many sessions: it does answer. All else (no socket yet, still recovering, stopping) takes time.
      if (systemCode(error) === '53300') return true
    }
    if (startOf(pid) === undefined) return false
    await sleep(POLL_MS)
  }
  return false
}

/** Stop the server that runs on `pgdata`, in good order: sessions end, all is on disk, the next start is quick. */
export async function stopPostmaster(pgdata: string): Promise<void> {
  const pid = runningPostmaster(pgdata)
  if (pid === undefined) return
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!send(pid, signal)) return
    if (await ended(pid, STOP_PATIENCE_MS)) return
  }
}

/** False when there is no such process any more. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false
    throw error
  }
}

export async function ended(pid: number, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs
  while (startOf(pid) !== undefined) {
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/** What the server says before its log is open. Outside the log's directory, which the server's user may write. */
function firstOutput({ home }: Place): string {
  return join(home, 'server-start.log')
}

/** The last complaint of the server, for a message, and the file that has the rest. */
export function lastWords(place: Place): { readonly file: string; readonly text: string } {
  const newest = readdirSync(place.logs).toSorted().at(-1)
  const files = [...(newest ? [join(place.logs, newest)] : []), firstOutput(place)]
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    const text = lines.findLast((line) => /FATAL|PANIC|ERROR/.test(line))
    if (text) return { file, text }
  }
  return { file: files[0] ?? firstOutput(place), text: '' }
}

/** Keep the newest logs only: the server turns to a new file by size, and never deletes one. */
export function pruneLogs(logs: string, keep: number): void {
  const files = readdirSync(logs).filter((name) => name.startsWith('postgresql-'))
  for (const name of files.toSorted().slice(0, -keep)) rmSync(join(logs, name), { force: true })
}
