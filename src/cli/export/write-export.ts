import { setTimeout as sleep } from 'node:timers/promises'
import { readJsonLine } from '../../core/export/jsonl.ts'
import type { ExportRow, ExportTable } from '../../core/export/table.ts'
import { countOf } from '../../core/present/readable-text.ts'
import { inGroups } from '../../flows/read/encode-rows.ts'
import { DoesNotFit, PARQUET_GROUP_ROWS } from '../../flows/read/parquet-file.ts'
import { ApiRefused, NoAnswer } from '../client/server-api.ts'
import { CommandFailed } from '../terminal/command-failed.ts'
import { pace, showProgress } from '../terminal/progress.ts'
import { remark } from '../terminal/terminal.ts'
import type { MakeEncoder } from './file-encoder.ts'
import { openPart, type PartFile } from './part-file.ts'

/** Tries in a row that bring no row, before the command gives up. */
const EXPORT_TRIES_MAX = 5
/** Between two of them. */
const EXPORT_RETRY_MS = 2_000

export interface WriteExport {
  readonly path: string
  /** Names what is asked for and the form of the file. */
  readonly question: string
  readonly table: ExportTable
  readonly makeEncoder: MakeEncoder
  /** The server's lines behind a position. */
  readonly read: (after: string | undefined) => AsyncGenerator<readonly string[]>
}

/** Writes a file of the server's rows: under its name when it is whole. @returns its rows */
export async function writeExport(ask: WriteExport): Promise<number> {
  const part = await openPart(ask.path, ask.question)
  if (part.mark) remark(`Continuing ${ask.path} behind ${countOf(part.mark.rows, 'row')}.`)
  const began = performance.now()
  const before = part.mark?.rows ?? 0
  let rows = before
  const shown = showProgress(() => ({ share: undefined, text: pace(rows - before, 'row', began) }))
  try {
    rows = await fill(ask, part, (count) => (rows = count))
    return rows
  } catch (error) {
    if (error instanceof DoesNotFit) throw new CommandFailed(error.message)
    if (error instanceof NoAnswer) {
      throw new CommandFailed(`${error.message} What is there so far is kept: the same command continues it.`)
    }
    throw error
  } finally {
    shown.end()
    await part.close().catch(() => undefined)
  }
}

async function fill(
  { table, makeEncoder, read }: WriteExport,
  part: PartFile,
  tell: (rows: number) => void,
): Promise<number> {
  const encoder = makeEncoder(part.mark?.encoder)
  let { rows, after } = part.mark ?? { rows: 0, after: undefined as string | undefined }
  if (!part.mark) await part.add(encoder.head(), () => ({ rows, after, encoder: encoder.state() }))
  for await (const group of inGroups(persistent(table, read, after), PARQUET_GROUP_ROWS)) {
    const bytes = await encoder.add(group)
    rows += group.length
    after = positionOf(table, group.at(-1)!)
    await part.add(bytes, () => ({ rows, after, encoder: encoder.state() }))
    tell(rows)
  }
  await part.finish(encoder.end())
  return rows
}

/** All rows, also over answers that break off: the next one is asked to continue. */
async function* persistent(
  table: ExportTable,
  read: WriteExport['read'],
  begin: string | undefined,
): AsyncGenerator<readonly ExportRow[]> {
  let after = begin
  for (let failures = 0; ;) {
    try {
      for await (const lines of read(after)) {
        const rows = lines.map((line) => readJsonLine(table, line))
        yield rows
        after = positionOf(table, rows.at(-1)!)
        failures = 0
      }
      return
    } catch (error) {
      if (!isPassing(error) || ++failures >= EXPORT_TRIES_MAX) throw error
      await sleep(EXPORT_RETRY_MS)
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswer) return true
  return error instanceof ApiRefused && (error.status === 429 || error.status === 503)
}

/** `2025-07-28T03Z.acme:17`. */
function positionOf({ columns }: ExportTable, row: ExportRow): string {
  const at = (names: readonly string[]) => row[columns.findIndex(({ name }) => names.includes(name))]
  return `${at(['x_BillId', 'billId'])}:${at(['x_LineNumber', 'number'])}`
}
