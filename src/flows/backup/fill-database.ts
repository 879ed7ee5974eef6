import type { BackupEnd, BackupProgress, BackupSection, BackupSummary } from './backup-format.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Connection } from '../../store/connect.ts'
import type { PackedBackup } from './backup-file.ts'
import type { Hour } from '../../core/time/hour.ts'
import { BACKED_UP, LEFT_OUT } from '../../store/backed-up-tables.ts'
import { type CopyIn, copyInto } from '../../store/backup-copy.ts'
import { openBackupSession } from '../../store/backup-session.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { insertBillMonth } from '../../store/bills.ts'
import { insertEventTable } from '../../store/usage-events.ts'
import {
  listTables,
  lockRestore,
  type TablePart,
  updateNumbering,
  updateOutputForms,
} from '../../store/backup.ts'
import { findDeploymentRow, lockFirstStart } from '../../store/deployment.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import type { Pool } from '../../store/reading-pool.ts'
import type { LogIdentity } from '../log/log-identity.ts'
import { leaveAdminKeyIn } from '../keys/leave-admin-key-in.ts'
import { BackupRefused, notEmpty } from './backup-refusal.ts'
import { type BackupPart, damaged } from './read-backup.ts'

export interface RestoreBackup {
  /** A path, which is read through before anything is written; or a stream, which is checked on the way. */
  readonly from: string | PackedBackup
  readonly connection: Connection
  readonly pool: Pool
  /** Where the admin key is left. */
  readonly dataDir: string
  /** Of this process, for the admin key. */
  readonly now: Instant
  /** Who this process is to the transparency log, which a restore continues; undefined: it has no keys. */
  readonly identity?: LogIdentity
  /** Who restores, for the audit log: `cli:maria`. */
  readonly actor: string
  /** May throw, to stop: then nothing is restored. */
  readonly onProgress: (step: 'checking' | 'restoring', progress: BackupProgress) => void
}

/**
 * Bring the parts of a backup after its header into a database of the same schema, in one transaction that is
 * committed when the last part has come. No first start and no other restore comes in between. Partitions are made
 * outside of it: empty ones harm nobody.
 * @param isCurrent the schema is that of this version: the restore is noted in the same commit
 */
export async function fillDatabase(
  restore: RestoreBackup,
  parts: AsyncIterable<BackupPart>,
  isCurrent: boolean,
): Promise<BackupSummary> {
  const { pool } = restore
  const session = await openBackupSession(pool)
  const { client } = session
  try {
    await run(client, updateOutputForms, undefined)
    if (!(await runOne(client, lockRestore, undefined))) throw busy()
    await run(client, lockFirstStart, undefined)
    if (await runOne(client, findDeploymentRow, undefined)) throw notEmpty()
    const { summary, end } = await load(client, pool, parts)
    refuseOtherTables(end, await run(client, listTables, undefined))
    if (isCurrent) await noteRestore(client, restore, summary)
    await session.commit()
    return summary
  } finally {
    session.hangUp()
  }
}

/** See to it that somebody can use what was restored, and that the audit log says so. Needs the schema of this version. */
export async function noteRestore(
  sql: Sql,
  { dataDir, now, actor }: RestoreBackup,
  { createdAt, sha256 }: BackupSummary,
): Promise<void> {
  await leaveAdminKeyIn(sql, { dataDir, name: 'admin (restored)', now })
  const detail = `the backup of ${createdAt}, SHA-256 ${sha256}`
  await run(sql, insertAuditEntry, { actor, act: 'database/restore', account: null, detail })
}

interface Loaded {
  readonly summary: BackupSummary
  readonly end: BackupEnd
}

async function load(
  client: Parameters<typeof copyInto>[0],
  pool: Pool,
  parts: AsyncIterable<BackupPart>,
): Promise<Loaded> {
  const targets = new Map((await run(client, listTables, undefined)).map((part) => [part.table, part]))
  let copy: CopyIn | undefined
  let loaded: Loaded | undefined
  for await (const part of parts) {
    if (part.kind === 'section')
      copy = copyInto(client, await targetOf(pool, targets, part.section), part.section.columns)
    if (part.kind === 'rows') await copy?.write(part.rows)
    if (part.kind === 'section end') {
      await copy?.end()
      await setNumbers(client, part.section)
    }
    if (part.kind === 'end') loaded = part
  }
  if (!loaded) throw damaged('is cut off')
  return loaded
}

/** The table that a section belongs into, with the partitions that it needs. */
async function targetOf(
  pool: Pool,
  targets: ReadonlyMap<string, TablePart>,
  { table, hours, columns, identity }: BackupSection,
): Promise<TablePart> {
  const known = BACKED_UP.find((one) => one.table === table)
  const target = known && targets.get(table)
  if (!target) throw unfit(`has a table ${JSON.stringify(table)}, which this schema has not`)
  const numbered = Object.keys(identity ?? {})
  const foreign = [
    ...columns.filter((name) => !target.columns.includes(name)),
    ...numbered.filter((name) => !(name in target.identity)),
  ]
  if (foreign.length > 0)
    throw unfit(`has columns of ${table} that this schema has not (${foreign.join(', ')})`)
  if (hours && known.division === 'day') {
    // By their age now: what was younger when it was backed up shares the table of its month.
    for (let hour = hours.from as Hour; hour < hours.to;) {
      hour = (await runOne(pool, insertEventTable, { hour }))!.to
    }
  }
  if (hours && known.division === 'month') {
    for (const hour of [hours.from, hours.to - 1] as Hour[]) await run(pool, insertBillMonth, { hour })
  }
  return target
}

async function setNumbers(sql: Sql, { table, identity = {} }: BackupSection): Promise<void> {
  for (const [column, last] of Object.entries(identity))
    await run(sql, updateNumbering, { table, column, last })
}

/** A table of this schema that the backup does not know would stay empty, and nobody would notice. */
function refuseOtherTables({ tables }: BackupEnd, targets: readonly TablePart[]): void {
  const ours = new Set(
    targets.map(({ table }) => table).filter((table) => BACKED_UP.some((one) => one.table === table)),
  )
  const missing = [...ours].find((table) => !(table in tables) && !(table in LEFT_OUT))
  if (missing !== undefined) throw unfit(`lacks the table ${missing}`)
}

function unfit(what: string): BackupRefused {
  const advice = 'it was not written by a backup of Farthing as it is now. Nothing was restored'
  return new BackupRefused('restore/unfit', `The file ${what}: ${advice}.`)
}

function busy(): BackupRefused {
  return new BackupRefused(
    'restore/busy',
    'Another restore into this database is in progress: wait for its end, or end it.',
  )
}
