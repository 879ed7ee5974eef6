import { continueLog } from '../log/continue-log.ts'
import { NO_IDENTITY } from '../log/log-identity.ts'
import { fillDatabase, noteRestore, type RestoreBackup } from './fill-database.ts'
import { transaction } from '../../store/transaction.ts'
import { knownMigrations } from '../../store/migrations.ts'
import { migrate, versionOfOtherRules } from '../../store/migrate.ts'
import { runOne } from '../../store/query.ts'
import { findStarted } from '../../store/deployment.ts'
import { readSchema, type SchemaState } from '../../store/schema-state.ts'
import type { Pool } from '../../store/reading-pool.ts'
import type { BackupHeader, BackupSummary } from './backup-format.ts'
import { openBackupFile } from './backup-file.ts'
import { BackupRefused, notEmpty, type Refusal, refusing } from './backup-refusal.ts'
import { backupParts } from './check-backup.ts'
import type { BackupPart } from './read-backup.ts'
import { refuseHeader } from './refuse-header.ts'

export type RestoredBackup = { readonly ok: true; readonly summary: BackupSummary } | Refusal

/**
 * Bring a backup into an empty database: all of it or, until the one commit at its end, nothing. A backup of an older
 * schema is brought in under that, and migrated afterwards; a start does that, too, if this is killed before.
 */
export function restoreBackup(restore: RestoreBackup): Promise<RestoredBackup> {
  return refusing(async () => {
    const { from, connection, pool, onProgress } = restore
    const open = () => (typeof from === 'string' ? openBackupFile(from) : Promise.resolve(from))
    const name = typeof from === 'string' ? from : 'standard input'
    if (typeof from === 'string') {
      const checked = backupParts(await open(), name, (progress) => onProgress('checking', progress))
      await throughParts(checked, async (header) => {
        refuseHeader(header)
        await refuseTarget(pool)
        for await (const part of checked) void part
      })
    }
    const parts = backupParts(await open(), name, (progress) => onProgress('restoring', progress))
    let isCurrent = true
    const summary = await throughParts(parts, async (header) => {
      refuseHeader(header)
      await refuseTarget(pool)
      await prepare(restore, header)
      isCurrent = header.migrations.length === knownMigrations().length
      return fillDatabase(restore, parts, isCurrent)
    })
    const migrated = await migrate(connection)
    if (!migrated.ok) throw new BackupRefused(migrated.code, migrated.detail)
    if (!isCurrent) await transaction(pool, (client) => noteRestore(client, restore, summary))
    // What was signed after the backup is not in it.
    const { identity = NO_IDENTITY, actor } = restore
    const reason = `a backup of ${summary.createdAt} was restored`
    await continueLog(pool, { identity, actor, reason, always: true })
    return { ok: true, summary }
  })
}

/** Take the header off and go on with the rest. Whatever happens, nothing is read any more afterwards. */
async function throughParts<Result>(
  parts: AsyncGenerator<BackupPart>,
  work: (header: BackupHeader) => Promise<Result>,
): Promise<Result> {
  try {
    const first = await parts.next()
    if (first.done || first.value.kind !== 'header') throw new Error('a backup begins with its header')
    return await work(first.value.header)
  } finally {
    await parts.return(undefined)
  }
}

async function refuseTarget(pool: Pool): Promise<void> {
  const state = await schemaOf(pool)
  if (state.schema !== undefined && (await runOne(pool, findStarted[state.schema], undefined)))
    throw notEmpty()
}

/** Give the database the schema that the backup was made under. */
async function prepare({ connection, pool }: RestoreBackup, header: BackupHeader): Promise<void> {
  const has = [...(await schemaOf(pool)).done]
  const older = versionOfOtherRules(has)
  if (older !== undefined) {
    const what = `The database is empty, but has tables of Farthing ${older}`
    throw new BackupRefused('restore/other_schema', `${what}: restore into a new, empty database.`)
  }
  const further = has.find((name) => !header.migrations.includes(name))
  if (further !== undefined) {
    const what = `The database is empty, but has the migration ${further}, and the backup is from before it`
    throw new BackupRefused('restore/other_schema', `${what}: restore into a new, empty database.`)
  }
  const migrated = await migrate(connection, { wanted: header.migrations })
  if (!migrated.ok) throw new BackupRefused(migrated.code, migrated.detail)
}

async function schemaOf(pool: Pool): Promise<SchemaState> {
  const state = await readSchema(pool)
  if (!state.ok) throw new BackupRefused(state.code, state.detail)
  return state
}
