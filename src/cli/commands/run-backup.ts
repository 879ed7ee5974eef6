import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import type { BackupProgress, BackupSummary } from '../../flows/backup/backup-format.ts'
import { checkBackup } from '../../flows/backup/check-backup.ts'
import { saveBackup } from '../../flows/backup/save-backup.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { type ReadOwnSettings, withReadableDatabase } from '../own-database.ts'
import { type Progress, showProgress } from '../terminal/progress.ts'
import { complain, print, printJson, remark } from '../terminal/terminal.ts'

export interface BackupOptions {
  readonly check?: true
  readonly json?: true
}

type Outcome =
  { readonly ok: true; readonly summary: BackupSummary } | { readonly ok: false; readonly detail: string }

/** Write all facts into a file, or to standard output. */
export async function backUp(
  file: string,
  { json }: BackupOptions,
  readSettings: ReadOwnSettings,
  version: string,
): Promise<void> {
  if (file === '-' && process.stdout.isTTY) {
    throw new CommandFailed('A backup is nothing to read: write it into a file, or a pipe.', EXIT.usage)
  }
  // A reader that goes away in the middle ends the process quietly; it has no backup then, and must not be told that it has.
  process.exitCode = EXIT.failed
  const summary = await shown('backed up', 'Stopped: there is no backup.', (onProgress, signal) =>
    withReadableDatabase(readSettings, (pool) =>
      saveBackup({
        pool,
        farthing: version,
        createdAt: new Date().toISOString(),
        to: file === '-' ? endedBy(signal, process.stdout) : file,
        onProgress,
        onForeignTable: (name) =>
          complain(`The table ${name} is not Farthing's: it is not in the backup.`, 'yellow'),
      }),
    ),
  )
  if (json) return printJson(summary)
  if (file === '-') remark(`Backed up ${inWords(summary)}.`, 'green')
  else print(`Backed up ${inWords(summary)} into ${file}.`, 'green')
}

/** Read a backup through, and say whether it is whole. */
export async function checkFile(file: string, { json }: BackupOptions): Promise<void> {
  const path = file === '-' ? '/dev/stdin' : file
  const summary = await shown('checked', 'Stopped.', (onProgress) => checkBackup(path, onProgress))
  if (json) return printJson(summary)
  const { createdAt, farthing } = summary
  const from = `It is of ${createdAt}, by Farthing ${farthing}`
  print(`The backup is whole: ${inWords(summary)}. ${from}.`)
}

/** A stream that may wait for somebody else for ever: not after Ctrl-C. */
export function endedBy<Waiting extends Stream>(signal: AbortSignal, stream: Waiting): Waiting {
  signal.addEventListener('abort', () => stream.destroy())
  return stream
}

interface Stream {
  destroy(error?: Error): unknown
}

/** `12,345 rows of 23 tables`. */
export function inWords({ rows, tables }: BackupSummary): string {
  return `${countOf(rows, 'row')} of ${countOf(tables, 'table')}`
}

/**
 * Run something long, with its progress, until it ends or Ctrl-C.
 * @param stopped what to say in that case
 */
export async function shown(
  verb: string,
  stopped: string,
  work: (
    onProgress: (progress: BackupProgress, otherVerb?: string) => void,
    signal: AbortSignal,
  ) => Promise<Outcome>,
): Promise<BackupSummary> {
  const stop = stopOnCtrlC()
  let now: Progress = { share: undefined, text: 'reading' }
  const bar = showProgress(() => now)
  const onProgress = ({ rows, bytes, share }: BackupProgress, otherVerb = verb) => {
    const megabytes = readableNumber(String(Math.round(bytes / 1e6)))
    now = { share, text: `${otherVerb} ${countOf(rows, 'row')}, ${megabytes} MB` }
    stop.signal.throwIfAborted()
  }
  try {
    const outcome = await work(onProgress, stop.signal)
    if (!outcome.ok) throw new CommandFailed(outcome.detail)
    return outcome.summary
  } catch (error) {
    if (!stop.signal.aborted) throw error
    throw new CommandFailed(stopped, EXIT.interrupted)
  } finally {
    bar.end()
    stop.done()
  }
}
