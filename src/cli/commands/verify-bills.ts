import { printableJson } from '../../core/text/printable-json.ts'
import { countOf, safeText } from '../../core/present/readable-text.ts'
import { formatHour, type Hour, hourOf, MILLISECONDS_PER_HOUR } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type Difference, verify, type VerifyProgress } from '../../flows/verify/verify.ts'
import { lockSnapshot } from '../../store/backup.ts'
import { run } from '../../store/query.ts'
import { transaction } from '../../store/transaction.ts'
import { CommandFailed, EXIT, type SetExitCode } from '../terminal/command-failed.ts'
import { stopOnCtrlC } from '../terminal/ctrl-c.ts'
import { type ReadOwnSettings, withReadableDatabase } from '../own-database.ts'
import { showProgress } from '../terminal/progress.ts'
import { conclude, print } from '../terminal/terminal.ts'
import { describeKept, readKeptCheckpoint } from './kept-checkpoint.ts'

export interface VerifyOptions {
  readonly account?: string
  readonly from?: string
  readonly to?: string
  readonly checkpoint?: string
  readonly json?: true
}

/** Make the bills of a range again, and print each difference as it is found. */
export async function verifyBills(
  { account, from, to, checkpoint, json }: VerifyOptions,
  readSettings: ReadOwnSettings,
  setExitCode: SetExitCode,
): Promise<void> {
  const range = { from: hourFrom(from, FIRST), to: hourFrom(to, LAST) }
  const kept = checkpoint === undefined ? undefined : readKeptCheckpoint(checkpoint)
  let told: Awaited<ReturnType<typeof describeKept>> | undefined
  const stop = stopOnCtrlC()
  let progress: VerifyProgress | undefined
  let found = 0
  const shown = showProgress(() => ({ share: undefined, text: textOf(progress) }))
  const onProgress = (now: VerifyProgress) => {
    progress = now
    stop.signal.throwIfAborted()
  }
  try {
    await withReadableDatabase(readSettings, (pool) =>
      transaction(pool, async (sql) => {
        await run(sql, lockSnapshot, undefined)
        if (kept) told = await describeKept(sql, kept)
        for await (const difference of verify(sql, { account, ...range, kept, onProgress })) {
          found += 1
          shown.clear()
          printDifference(difference, json ?? false)
        }
      }),
    )
  } catch (error) {
    if (!stop.signal.aborted) throw error
    throw new CommandFailed(`Stopped. ${resultOf(progress, found)}`, EXIT.interrupted)
  } finally {
    shown.end()
    stop.done()
  }
  if (told && !json) for (const line of told.lines) print(line)
  if (told?.continued.length) setExitCode(EXIT.logContinued)
  if (told && !told.tree) setExitCode(EXIT.failed)
  if (found > 0) setExitCode(EXIT.failed)
  conclude(resultOf(progress, found), { json: json ?? false, colour: found > 0 ? 'red' : 'green' })
}

function printDifference(difference: Difference, json: boolean): void {
  const { place, detail } = difference
  process.stdout.write(json ? `${printableJson(difference)}\n` : `${safeText(place)}: ${safeText(detail)}\n`)
}

function textOf(progress: VerifyProgress | undefined): string {
  if (!progress) return 'verifying'
  const { hour, bills } = progress
  return `verified ${formatHour(hour)}, ${countOf(bills, 'bill')}`
}

function resultOf(progress: VerifyProgress | undefined, found: number): string {
  const { hours = 0, bills = 0 } = progress ?? {}
  const made = `Recomputed ${countOf(bills, 'bill')} over ${countOf(hours, 'hour')}`
  return `${made}: ${found === 0 ? 'no differences' : countOf(found, 'difference')}.`
}

const FIRST = 0 as Hour
/** The last hour that PostgreSQL's integer holds. */
const LAST = (2 ** 31 - 1) as Hour

/** The first hour that starts at or after a time. */
function hourFrom(rfc3339: string | undefined, otherwise: Hour): Hour {
  if (rfc3339 === undefined) return otherwise
  return hourOf((Date.parse(rfc3339) + MILLISECONDS_PER_HOUR - 1) as Instant)
}
