import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { linkLibraries } from './library-links.ts'
import { isAlive, newIdentity } from './process-identity.ts'
import { systemCode } from './refusal.ts'

/** Between the target's name and the identity of the process that copies. */
const UNFINISHED = '.copy-of-'

/**
 * Copy the platform's package, and complete it, unless that was done before.
 *
 * It is copied beside the target and then renamed, so that the target is never half a copy, anyone who is killed and
 * however many copy at once. Its name holds the version, so it never has to change.
 * @returns where the copy is
 */
export function copyOnce(root: string, directory: string, name: string): string {
  const target = join(directory, name)
  if (isOurs(target)) return target
  removeUnfinished(target)
  const copy = `${target}${UNFINISHED}${newIdentity()}`
  // Symlinks stay relative; headers and static libraries are not needed to run.
  cpSync(join(root, 'native'), join(copy, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !/\.a$|\/pkgconfig$|\/include$/.test(source),
  })
  linkLibraries(copy)
  letAllRead(copy)
  try {
    renameSync(copy, target)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '') || !isOurs(target)) throw error
    rmSync(copy, { recursive: true })
  }
  return target
}

/** Programs that root starts must be root's: nobody else may have put them there. */
function isOurs(target: string): boolean {
  return existsSync(target) && statSync(target).uid === process.geteuid?.()
}

function removeUnfinished(target: string): void {
  const prefix = `${basename(target)}${UNFINISHED}`
  for (const name of readdirSync(dirname(target)).filter((each) => each.startsWith(prefix))) {
    if (!isAlive(name.slice(prefix.length)))
      rmSync(join(dirname(target), name), { recursive: true, force: true })
  }
}

/** A clone made under a strict umask has files that only its owner may read. */
function letAllRead(path: string): void {
  chmodSync(path, 0o755)
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isDirectory() || entry.parentPath.endsWith('/bin')) chmodSync(file, 0o755)
    else if (entry.isFile()) chmodSync(file, 0o644)
  }
}
