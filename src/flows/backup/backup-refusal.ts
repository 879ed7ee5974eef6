import { oneLine } from '../../store/embedded/refusal.ts'
import type { SchemaCode } from '../../store/schema-state.ts'
import { sqlState } from '../../store/transaction.ts'
import { isUnavailable } from '../../store/trouble.ts'

/** Why something could not be backed up or restored. Codes are public API: add, never rename. */
export type BackupCode =
  | 'backup/not_a_backup'
  | 'backup/damaged'
  | 'backup/other_rules'
  | 'backup/newer_version'
  | 'backup/file_unreadable'
  | 'backup/file_unwritable'
  | 'backup/database_away'
  | 'restore/not_empty'
  | 'restore/other_schema'
  | 'restore/busy'
  | 'restore/disk_full'
  | 'restore/locks'
  | 'restore/unfit'
  | SchemaCode

/** Ends a backup or a restore, from wherever it is; its flow answers it as a value. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
  readonly code: BackupCode

  constructor(code: BackupCode, detail: string) {
    super(oneLine(detail))
    this.code = code
  }
}

export function notEmpty(): BackupRefused {
  const advice = 'set FARTHING_DATA_DIR to a new directory, or DATABASE_URL to a new database'
  return new BackupRefused(
    'restore/not_empty',
    `There is a deployment already, and a backup replaces nothing: ${advice}.`,
  )
}

export interface Refusal {
  readonly ok: false
  readonly code: BackupCode
  /** One line for the person who can fix it. */
  readonly detail: string
}

/** What ends a backup or a restore and is nobody's mistake in the code, as a value. Throws everything else. */
export async function refusing<Result>(work: () => Promise<Result>): Promise<Result | Refusal> {
  try {
    return await work()
  } catch (error) {
    const refused = refusedBy(error)
    if (!refused) throw error
    return { ok: false, code: refused.code, detail: refused.message }
  }
}

function refusedBy(error: unknown): BackupRefused | undefined {
  if (error instanceof BackupRefused) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (isUnavailable(error)) {
    const advice = 'nothing is left half done, so run it again'
    return new BackupRefused('backup/database_away', `The database has gone away (${reason}): ${advice}.`)
  }
  const state = sqlState(error) ?? ''
  if (state === '53100') {
    const advice = 'free some space, and restore again. Nothing was restored'
    return new BackupRefused('restore/disk_full', `The disk of the database is full: ${advice}.`)
  }
  if (state === '53200') {
    const advice = 'set max_locks_per_transaction to 1024 there, restart it, and try again'
    return new BackupRefused('restore/locks', `The database has too few locks (${reason}): ${advice}.`)
  }
  if (/^2[23]/.test(state)) {
    const advice = 'it was not written by a backup of Farthing as it is now. Nothing was restored'
    return new BackupRefused(
      'restore/unfit',
      `The database refuses what is in the file (${reason}): ${advice}.`,
    )
  }
  return undefined
}
