import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type Connection, type Log, openDatabase } from '../../src/store/connect.ts'
import { send, stopPostmaster } from '../../src/store/embedded/postmaster.ts'
import { runningPostmaster } from '../../src/store/embedded/postmaster-file.ts'
import { abandonedFolders, makeRunFolder } from '../run-folder.ts'
import { startOtherPostgres } from './other-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly database: Connection
  }
}

const quiet: Log = { info() {}, warn: console.warn, error: console.error }

const DATA = 'server'

/**
 * One embedded server for the whole run, as durable as in real use; with FARTHING_TEST_POSTGRES_BIN one of that version. It is vitest's global set-up; test files take
 * their databases from it with `testDatabase`.
 */
export default async function oneServer(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned()
  const folder = makeRunFolder(project)
  const bin = process.env['FARTHING_TEST_POSTGRES_BIN']
  if (bin) {
    const other = await startOtherPostgres(bin)
    project.provide('database', other.connection)
    return () => other.stop().finally(folder.remove)
  }
  const dataDir = join(folder.path, DATA)
  // Of a run that is interrupted, before the folder is removed.
  process.prependOnceListener('exit', () => {
    const pid = runningPostmaster(join(dataDir, 'postgres'))
    if (pid !== undefined) send(pid, 'SIGQUIT')
  })
  const opened = await openDatabase({ dataDir, log: quiet })
  if (!opened.ok) throw new Error(`${opened.code}: ${opened.detail}`)
  const { connection, stop } = opened.database
  project.provide('database', connection)
  return () => stop().finally(folder.remove)
}

/** Runs that were killed have left their servers running. */
async function removeAbandoned(): Promise<void> {
  for (const folder of abandonedFolders()) {
    const server = join(folder, DATA, 'postgres')
    if (existsSync(server)) await stopPostmaster(server)
    rmSync(folder, { recursive: true, force: true })
  }
}
