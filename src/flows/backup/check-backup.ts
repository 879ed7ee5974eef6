import type { BackupProgress, BackupSummary } from './backup-format.ts'
import { openBackupFile, type PackedBackup, unpack } from './backup-file.ts'
import { type Refusal, refusing } from './backup-refusal.ts'
import { type BackupPart, readBackup } from './read-backup.ts'
import { refuseHeader } from './refuse-header.ts'

export type CheckedBackup = { readonly ok: true; readonly summary: BackupSummary } | Refusal

/**
 * Read a backup through: is it whole, as it was written, and of a version that this one restores? No database is needed.
 * @param onProgress may throw, to stop
 */
export function checkBackup(
  path: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<CheckedBackup> {
  return refusing(async () => {
    for await (const part of backupParts(await openBackupFile(path), path, onProgress)) {
      if (part.kind === 'header') refuseHeader(part.header)
      if (part.kind === 'end') return { ok: true, summary: part.summary }
    }
    throw new Error('a backup that is read without a refusal has an end')
  })
}

/** The parts of a packed backup, checked on the way. @param path for messages */
export function backupParts(
  packed: PackedBackup,
  path: string,
  onProgress: (progress: BackupProgress) => void,
): AsyncGenerator<BackupPart> {
  let packedBytes = 0
  const unpacked = unpack(packed, path, (bytes) => (packedBytes = bytes))
  return readBackup(unpacked, (progress) =>
    onProgress({ ...progress, share: packed.size === undefined ? undefined : packedBytes / packed.size }),
  )
}
