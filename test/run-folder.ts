import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    readonly runFolder: string
  }
}

/** Short: the path of a socket has at most 107 bytes. */
const PREFIX = 'ft-'
/** A new folder has no process on record yet. */
const NEW_MS = 60_000

export interface RunFolder {
  readonly path: string
  readonly remove: () => void
}

/**
 * The folder for all that a run leaves: see own-folder.ts. It is removed at the end of the run, whatever the tests come to,
 * and also when the run is interrupted; after a kill, by the next run.
 */
export default function runFolder(project: TestProject): () => void {
  return makeRunFolder(project).remove
}

export function makeRunFolder(project: TestProject): RunFolder {
  const path = mkdtempSync(join(tmpdir(), PREFIX))
  writeFileSync(join(path, 'pid'), String(process.pid))
  // As open as the folder that it stands for: PostgreSQL may run as another user.
  chmodSync(path, 0o1777)
  const remove = () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  process.once('exit', () => {
    remove()
    // Vitest leaves its own when it is interrupted.
    rmSync(project.tmpDir, { recursive: true, force: true })
  })
  project.provide('runFolder', path)
  return { path, remove }
}

/** Folders of runs that were killed. */
export function abandonedFolders(): readonly string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter(isAbandoned)
}

function isAbandoned(folder: string): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (!stat?.isDirectory() || stat.uid !== process.geteuid?.() || Date.now() - stat.ctimeMs < NEW_MS)
    return false
  const file = join(folder, 'pid')
  return existsSync(file) && !isAlive(Number(readFileSync(file, 'utf8')))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
