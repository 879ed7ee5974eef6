import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readNoLink, writeNoLink } from '../../store/embedded/no-links.ts'
import { systemCode } from '../../store/embedded/refusal.ts'
import { isKeyText, newKeyText } from './key-text.ts'

/** Where the first start leaves the admin key for the command line on this machine. */
export function adminKeyPath(dataDir: string): string {
  return join(dataDir, 'admin-key')
}

/** The admin key that was left in a data directory, or undefined. Throws what the system refuses. */
export function readAdminKey(dataDir: string): string | undefined {
  try {
    const text = readNoLink(adminKeyPath(dataDir)).trim()
    return isKeyText(text) ? text : undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The admin key for a new database, on disk before anything else knows it: a key that was stored and then lost
 * could never be replaced. One that lies there already is used again, because another database may know it.
 */
export function leaveAdminKey(dataDir: string): string {
  return readAdminKey(dataDir) ?? replaceAdminKey(dataDir)
}

/** A new admin key in the place of the one that lies there, if any. */
export function replaceAdminKey(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const key = newKeyText()
  const path = adminKeyPath(dataDir)
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  writeNoLink(draft, `${key}\n`, 0o600)
  renameSync(draft, path)
  return key
}
