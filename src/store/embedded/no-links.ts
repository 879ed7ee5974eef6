import { closeSync, constants, fchmodSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

const { O_CREAT, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } = constants

/**
 * Open a file that has a fixed name in a directory where others may make names too: one that is a link is not followed
 * (ELOOP), so that nobody can have another file read or overwritten.
 */
export function openNoLink(path: string, way: 'read' | 'write', mode = 0o600): number {
  const flags = way === 'read' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC
  return openSync(path, flags | O_NOFOLLOW, mode)
}

export function readNoLink(path: string): string {
  const file = openNoLink(path, 'read')
  try {
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** With its mode, whatever the umask is, and on disk. */
export function writeNoLink(path: string, text: string, mode = 0o644): void {
  const file = openNoLink(path, 'write', mode)
  try {
    fchmodSync(file, mode)
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
