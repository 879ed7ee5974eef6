import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } = constants

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

/** An empty file of a new name. What has the name already, a link too, is an error (EEXIST). */
export function createNoLink(path: string): void {
  closeSync(openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644))
}

/** Make a directory, unless it is there. A link to one is an error: what is made in it would be elsewhere. */
export function makeDirectoryNoLink(path: string): void {
  mkdirSync(path, { recursive: true })
  if (lstatSync(path).isDirectory()) return
  throw Object.assign(new Error(`ELOOP: ${path} is a link, and none is followed here`), { code: 'ELOOP' })
}

/**
 * A file with a new text, which has it whole or not at all, on disk. For directories of another user: a link that has
 * the name is replaced, not followed, and the file is given to that user.
 */
export function replaceNoLink(
  path: string,
  text: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): void {
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  const file = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeSync(file, text)
    if (owner) fchownSync(file, owner.uid, owner.gid)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
}
