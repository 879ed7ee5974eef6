import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { systemCode } from './refusal.ts'

/**
 * Make the library links that npm cannot pack, where they are missing. Can be run twice, and at once.
 * @param root the folder of the platform's package
 * @returns false when a link is missing and the folder cannot be written to
 */
export function linkLibraries(root: string): boolean {
  const text = readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')
  const links = JSON.parse(text) as readonly { source: string; target: string }[]
  try {
    for (const { source, target } of links) link(basename(source), join(root, target))
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** Source and link are neighbours, so the link is relative and survives a copy. */
function link(source: string, path: string): void {
  if (existsSync(path)) return
  try {
    symlinkSync(source, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
