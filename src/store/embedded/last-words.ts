import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readNoLink } from './no-links.ts'
import type { Place } from './place.ts'

/** Of all logs together, at most: the oldest go first. The server begins a new file by size (settings.ts). */
export const LOG_BYTES_MAX = 50 * 1024 * 1024
/** Older ones go, whatever their size. */
export const LOG_AGE_MS_MAX = 30 * 24 * 3_600_000

/**
 * The file for what the server says before its log is open, begun again at each start. It is not among the logs:
 * root opens it, and their directory is open to the server's user.
 */
export function firstOutput({ home }: Place): string {
  return join(home, 'server-start.log')
}

/** The server's last complaint, and the file that has the rest. */
export function lastWords(place: Place): { readonly file: string; readonly text: string } {
  const newest = logFiles(place).at(-1)
  const files = [firstOutput(place), ...(newest ? [newest] : [])].filter((file) => existsSync(file))
  for (const file of files) {
    const lines = readNoLink(file).trim().split('\n')
    const text = lines.findLast((line) => /FATAL|PANIC|ERROR|could not/.test(line))
    // The time and process before the level are of no help in a message.
    if (text) return { file, text: text.replace(/^.*?(?=FATAL|PANIC|ERROR)/, '') }
  }
  return { file: files.at(-1) ?? firstOutput(place), text: '' }
}

/**
 * Delete old logs: the server never does. By bytes and age, not by number: each start begins a file, so a server that
 * starts again and again would lose the one that says why. The newest, and those of failed starts, are never deleted.
 */
export function pruneLogs(place: Place, nowMs = Date.now()): void {
  let bytes = 0
  for (const [index, file] of logFiles(place).toReversed().entries()) {
    const { size, mtimeMs } = statSync(file)
    bytes += size
    const isOld = nowMs - mtimeMs > LOG_AGE_MS_MAX || bytes > LOG_BYTES_MAX
    if (index === 0 || !isOld || isOfFailedStart(file)) continue
    rmSync(file, { force: true })
    bytes -= size
  }
}

/** A start that failed says so, and never that the server is ready. Its log is small. */
function isOfFailedStart(file: string): boolean {
  if (statSync(file).size > FAILED_START_BYTES) return false
  const text = readNoLink(file)
  return /FATAL|PANIC/.test(text) && !text.includes('database system is ready to accept connections')
}

const FAILED_START_BYTES = 65_536

/** Oldest first: their names begin with the time. */
function logFiles({ logs }: Place): string[] {
  const names = existsSync(logs) ? readdirSync(logs) : []
  const files = names.filter((name) => name.startsWith('postgresql-')).toSorted()
  return files.map((name) => join(logs, name))
}
