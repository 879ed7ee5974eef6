import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import type { Hour } from '../../src/core/time/hour.ts'
import { firstStart } from '../../src/flows/start/first-start.ts'
import { type Connection, type Log, makePool, openDatabase } from '../../src/store/connect.ts'
import { migrate } from '../../src/store/migrate.ts'
import type { Cleanup } from './cleanup.ts'

/** A Farthing deployment in a temporary folder, with the reference price book. */
export interface ScratchServer {
  readonly dataDir: string
  readonly connection: Connection
  readonly pool: pg.Pool
  readonly adminKey: string
  /** PostgreSQL's first process. */
  readonly serverPid: number
}

export const quiet: Log = { info() {}, warn: complain, error: complain }

function complain(fields: object, message: string): void {
  process.stderr.write(`bench: ${message} ${JSON.stringify(fields)}\n`)
}

/** @param firstHour where its live hours begin */
export async function startScratchServer(firstHour: Hour, cleanup: Cleanup): Promise<ScratchServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'farthing-bench-'))
  // As root the server runs as another user, who must be able to enter.
  chmodSync(dataDir, 0o711)
  cleanup.add(() => rmSync(dataDir, { recursive: true, force: true }))
  const opened = await openDatabase({ dataDir, log: quiet })
  if (!opened.ok) throw new Error(opened.detail)
  const { connection, serverPid, stop } = opened.database
  cleanup.add(stop)
  const migrated = await migrate(connection)
  if (!migrated.ok) throw new Error(migrated.detail)
  const pool = makePool(connection, { max: 2, applicationName: 'farthing-bench' })
  cleanup.add(() => pool.end())
  const first = await firstStart({ pool, dataDir, priceBook: undefined, log: quiet, firstHour })
  if (!first.ok) throw new Error(first.detail)
  return { dataDir, connection, pool, adminKey: first.adminKey!, serverPid: serverPid! }
}
