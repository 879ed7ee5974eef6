import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { ask, type Connection } from './connection.ts'
import { firstOutput } from './last-words.ts'
import { openNoLink } from './no-links.ts'
import type { Place } from './place.ts'
import { runningPostmaster, saysReady } from './postmaster-file.ts'
import { startOf } from './process-identity.ts'
import { systemCode } from './refusal.ts'
import { serverProcess } from './server-process.ts'

const POLL_MS = 20
/** Recovery after a crash reads what was written since the last checkpoint: at most some GB, some minutes. */
const START_PATIENCE_MS = 10 * 60_000
/** A server that is ready and cannot be reached has lost its socket, and has to be started again. */
const READY_PATIENCE_MS = 5_000
const SLOW_MS = 5_000
const STOP_PATIENCE_MS = 30_000
/** SQLSTATE: all sessions are taken, so the server does work. */
const TOO_MANY_CONNECTIONS = '53300'

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
  const output = openNoLink(firstOutput(place), 'write')
  const program = join(binaries.native, 'bin/postgres')
  const child = spawn(program, ['-D', place.pgdata, ...flags], {
    ...serverProcess(place.user),
    detached: true,
    stdio: ['ignore', output, output],
  })
  // Reported by its absence: anyone who waits for it sees that there is no such process.
  child.on('error', () => {})
  child.unref()
  closeSync(output)
  return child.pid
}

/**
 * Wait until the server takes connections, or has ended.
 * @param onSlow called once when it takes longer than a start without recovery
 * @param signal ends the wait: then it throws
 * @returns false when it has ended, or did not answer in time
 */
export async function answers(
  { pgdata }: Place,
  connection: Connection,
  pid: number,
  onSlow: () => void,
  signal?: AbortSignal,
): Promise<boolean> {
  const slow = setTimeout(onSlow, SLOW_MS)
  let deadline = Date.now() + START_PATIENCE_MS
  try {
    while (Date.now() < deadline && startOf(pid) !== undefined) {
      signal?.throwIfAborted()
      const ready = saysReady(pgdata)
      if (ready && (await takesConnections(connection))) return true
      if (ready) deadline = Math.min(deadline, Date.now() + READY_PATIENCE_MS)
      await sleep(POLL_MS)
    }
    return false
  } finally {
    clearTimeout(slow)
  }
}

async function takesConnections(connection: Connection): Promise<boolean> {
  try {
    await ask({ ...connection, database: 'postgres' }, 'select 1')
    return true
  } catch (error) {
    if (isOurTrouble(error)) throw error
    return systemCode(error) === TOO_MANY_CONNECTIONS
  }
}

/** Of this process, or its rights: it says nothing about the server, which must not be stopped for it. */
export function isOurTrouble(error: unknown): boolean {
  return /^(?:EMFILE|ENFILE|ENOMEM|ENOBUFS|EACCES|EPERM)$/.test(systemCode(error) ?? '')
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

/** Stop a server that is only just starting, and may have no pid file yet. */
export async function stopStarting(pgdata: string, pid: number): Promise<void> {
  if (send(pid, 'SIGINT')) await ended(pid, STOP_PATIENCE_MS)
  await stopPostmaster(pgdata)
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
