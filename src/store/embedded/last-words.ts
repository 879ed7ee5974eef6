import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readNoLink } from './no-links.ts'
import type { Place } from './place.ts'

/** Newest files that are kept; the server begins a new one by size (settings.ts). */
const LOG_FILES_MAX = 5

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

/** Keep the newest logs only: the server never deletes one. */
export function pruneLogs(place: Place): void {
  for (const file of logFiles(place).slice(0, -LOG_FILES_MAX)) rmSync(file, { force: true })
}

/** Oldest first: their names begin with the time. */
function logFiles({ logs }: Place): string[] {
  const names = existsSync(logs) ? readdirSync(logs) : []
  const files = names.filter((name) => name.startsWith('postgresql-')).toSorted()
  return files.map((name) => join(logs, name))
}
