import { createHash, type Hash } from 'node:crypto'
import { formatHourStart } from '../../core/time/hour.ts'
import { openBackupSession } from '../../store/backup-session.ts'
import { copyOut } from '../../store/backup-copy.ts'
import { BACKED_UP, LEFT_OUT } from '../../store/backed-up-tables.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { lockSnapshot, listTables, type TablePart, updateOutputForms } from '../../store/backup.ts'
import { listMigrations, findServerVersion } from '../../store/server.ts'
import type { Pool } from '../../store/reading-pool.ts'
import { findDeployment } from '../shared/read-deployment.ts'
import {
  type BackupDigest,
  type BackupEnd,
  type BackupHeader,
  type BackupProgress,
  type BackupSection,
  type BackupSectionEnd,
  type BackupSummary,
  countRows,
  END_OF_ROWS,
  FORMAT,
} from './backup-format.ts'

export interface WriteBackup {
  readonly pool: Pool
  /** The version of this Farthing. */
  readonly farthing: string
  /** By this process's clock; RFC 3339, UTC. */
  readonly createdAt: string
  /** May throw, to stop. */
  readonly onProgress: (progress: BackupProgress) => void
  /** Tables that are not Farthing's, and are not in the backup. */
  readonly onForeignTable: (name: string) => void
  /** The last call: everything is written. */
  readonly onEnd: (summary: BackupSummary) => void
}

/** What has been written so far. */
interface Written {
  readonly all: Hash
  bytes: number
  rows: number
  readonly tables: Record<string, number>
}

/**
 * All facts, as they were at one moment, while ingest and settlement go on: the bytes of a backup before packing, in
 * chunks. Holds one partition's chunk in memory. Stop reading whenever you like.
 */
export async function* writeBackup(options: WriteBackup): AsyncGenerator<Buffer> {
  const session = await openBackupSession(options.pool)
  const { client } = session
  try {
    await run(client, lockSnapshot, undefined)
    await run(client, updateOutputForms, undefined)
    const parts = partsOf(await run(client, listTables, undefined), options.onForeignTable)
    const written: Written = { all: createHash('sha256'), bytes: 0, rows: 0, tables: {} }
    yield text(written, line(await headerOf(client, options)))
    const progress = makeProgress(parts, written, options)
    for (const part of parts) {
      written.tables[part.table] ??= 0
      if (part.sqlName === '') continue
      yield text(written, line(sectionOf(part)))
      await session.beginPart()
      const end = { rows: 0, sha256: createHash('sha256') }
      for await (const chunk of copyOut(client, part) as AsyncIterable<Buffer>) {
        end.sha256.update(chunk)
        const rows = countRows(chunk)
        end.rows += rows
        written.rows += rows
        progress(part, chunk.length)
        yield bytes(written, chunk)
      }
      written.tables[part.table]! += end.rows
      await session.endPart()
      const sectionEnd: BackupSectionEnd = { rows: end.rows, sha256: end.sha256.digest('hex') }
      yield text(written, END_OF_ROWS + line(sectionEnd))
    }
    const end: BackupEnd = { end: true, tables: written.tables, rows: written.rows }
    yield text(written, line(end))
    const digest: BackupDigest = { sha256: written.all.copy().digest('hex') }
    yield text(written, line(digest))
    await session.commit()
    const { createdAt, farthing } = options
    const tables = Object.keys(written.tables).length
    options.onEnd({ createdAt, farthing, tables, rows: written.rows, bytes: written.bytes, ...digest })
  } finally {
    session.hangUp()
  }
}

/** Ours, in the order in which they can be filled again. */
function partsOf(found: readonly TablePart[], onForeignTable: (name: string) => void): readonly TablePart[] {
  const known = BACKED_UP.map(({ table }) => table)
  const foreign = found.filter(({ table }) => !known.includes(table) && !(table in LEFT_OUT))
  for (const name of new Set(foreign.map(({ table }) => table))) onForeignTable(name)
  return known.flatMap((table) => found.filter((part) => part.table === table))
}

async function headerOf(sql: Sql, { farthing, createdAt }: WriteBackup): Promise<BackupHeader> {
  const { firstHour, currency, demo } = await findDeployment(sql)
  return {
    farthingBackup: FORMAT,
    farthing,
    postgresql: (await runOne(sql, findServerVersion, undefined)) ?? '',
    createdAt,
    migrations: await run(sql, listMigrations, undefined),
    deployment: { firstHour: formatHourStart(firstHour), currency, demo },
  }
}

function sectionOf({ table, hours, columns, identity }: TablePart): BackupSection {
  const numbers = Object.keys(identity).length > 0
  return { table, ...(hours && { hours }), columns, ...(numbers && { identity }) }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function text(written: Written, chars: string): Buffer {
  return bytes(written, Buffer.from(chars))
}

function bytes(written: Written, chunk: Buffer): Buffer {
  written.all.update(chunk)
  written.bytes += chunk.length
  return chunk
}

/** By the size of the tables on disk, which is not that of their text: each counts at most as what it is. */
function makeProgress(parts: readonly TablePart[], written: Written, { onProgress }: WriteBackup) {
  const all = parts.reduce((sum, part) => sum + part.bytes, 1)
  let [current, within, before] = [parts[0], 0, 0]
  return (part: TablePart, length: number) => {
    if (part !== current) {
      before += current?.bytes ?? 0
      current = part
      within = 0
    }
    within = Math.min(within + length, part.bytes)
    onProgress({ rows: written.rows, bytes: written.bytes, share: (before + within) / all })
  }
}
