import type { SetExitCode } from '../terminal/command-failed.ts'
import type { Instant } from '../../core/time/instant.ts'
import { localActor } from '../../flows/shared/local-actor.ts'
import { restoreBackup } from '../../flows/backup/restore-backup.ts'
import { adminKeyPath } from '../../flows/keys/admin-key-file.ts'
import { givenIdentity } from './log-identity.ts'
import { type ReadOwnSettings, withEmptyDatabase } from '../own-database.ts'
import { endedBy, inWords, shown } from './run-backup.ts'
import { print, printJson, remark } from '../terminal/terminal.ts'
import { verifyBills } from './verify-bills.ts'

export interface RestoreOptions {
  readonly verify?: true
  readonly json?: true
}

/** Bring a backup into an empty database, and say how to go on. */
export async function restore(
  file: string,
  { verify, json }: RestoreOptions,
  readSettings: ReadOwnSettings,
  setExitCode: SetExitCode,
): Promise<void> {
  let keyPath = ''
  const summary = await shown('restored', 'Stopped: nothing was restored.', (onProgress, signal) =>
    withEmptyDatabase(readSettings, ({ connection, pool, dataDir, settings }) => {
      const identity = givenIdentity(settings)
      keyPath = adminKeyPath(dataDir)
      return restoreBackup({
        from: file === '-' ? { bytes: endedBy(signal, process.stdin), size: undefined } : file,
        connection,
        pool,
        dataDir,
        now: Date.now() as Instant,
        identity,
        actor: localActor(),
        onProgress: (step, progress) => onProgress(progress, step === 'checking' ? 'checked' : 'restored'),
      })
    }),
  )
  if (json) printJson({ ...summary, adminKeyPath: keyPath })
  else {
    print(`Restored ${inWords(summary)}, as they were at ${summary.createdAt}.`, 'green')
    print(`The admin key for the command line is in ${keyPath}. Keys that the backup knows are valid, too.`)
  }
  if (verify) await verifyBills(json ? { json } : {}, readSettings, setExitCode)
  else if (!json) remark('Next: farthing verify computes every bill again, and farthing serve goes on.')
}
