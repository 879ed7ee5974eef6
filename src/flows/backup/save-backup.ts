import type { Writable } from 'node:stream'
import { packInto, packIntoFile } from './backup-file.ts'
import type { BackupSummary } from './backup-format.ts'
import { type Refusal, refusing } from './backup-refusal.ts'
import { writeBackup, type WriteBackup } from './write-backup.ts'

export interface SaveBackup extends Omit<WriteBackup, 'onEnd'> {
  /** A path, or a stream that stays open. */
  readonly to: string | Writable
}

export type SavedBackup = { readonly ok: true; readonly summary: BackupSummary } | Refusal

/** Back up a database while it is in use. A file is there when it is complete, and not before. */
export function saveBackup({ to, ...options }: SaveBackup): Promise<SavedBackup> {
  return refusing(async () => {
    let summary: BackupSummary | undefined
    const backup = writeBackup({ ...options, onEnd: (ended) => (summary = ended) })
    await (typeof to === 'string' ? packIntoFile(backup, to) : packInto(backup, to))
    if (!summary) throw new Error('a backup that is written has an end')
    return { ok: true, summary }
  })
}
