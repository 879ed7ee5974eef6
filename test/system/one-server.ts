import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Connection, type Log, openDatabase } from '../../src/store/connect.ts'
import { hasMembers } from '../../src/store/embedded/members.ts'
import { stopPostmaster } from '../../src/store/embedded/postmaster.ts'
import { startOtherPostgres } from './other-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly database: Connection
  }
}

const quiet: Log = { info() {}, warn: console.warn, error: console.error }

const PREFIX = 'farthing-test-'
/** A run that is still going has a living process on record by then. */
const ABANDONED_MS = 60 * 60_000

/**
 * One embedded server for the whole run, as durable as in real use; with FARTHING_TEST_POSTGRES_BIN one of that version. It is vitest's global set-up; test files take
 * their databases from it with `testDatabase`.
 */
export default async function oneServer(project: TestProject): Promise<() => Promise<void>> {
  const bin = process.env['FARTHING_TEST_POSTGRES_BIN']
  if (bin) {
    const other = await startOtherPostgres(bin)
    project.provide('database', other.connection)
    return () => other.stop()
  }
  await removeAbandoned()
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX))
  // As root the server runs as another user, who must be able to enter.
  chmodSync(dataDir, 0o711)
  const opened = await openDatabase({ dataDir, log: quiet })
  if (!opened.ok) throw new Error(`${opened.code}: ${opened.detail}`)
  const { connection, stop } = opened.database
  project.provide('database', connection)
  return async () => {
    await stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Runs that were killed have left their servers running. */
async function removeAbandoned(): Promise<void> {
  const dirs = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX))
  for (const dir of dirs.map((name) => join(tmpdir(), name))) {
    const { uid, mtimeMs } = statSync(dir)
    const old = uid === process.geteuid?.() && Date.now() - mtimeMs > ABANDONED_MS
    if (!old || hasMembers(join(dir, 'processes'))) continue
    await stopPostmaster(join(dir, 'postgres'))
    rmSync(dir, { recursive: true, force: true })
  }
}
