import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Connection, type Log, openDatabase } from '../../src/store/connect.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly database: Connection
  }
}

const quiet: Log = { info() {}, warn: console.warn, error: console.error }

/**
 * One embedded server for the whole run, as durable as in real use. It is vitest's global set-up; test files take
 * their databases from it with `testDatabase`.
 */
export default async function oneServer(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-test-'))
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
