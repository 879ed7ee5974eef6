import { csvHeader, csvLine } from '../../core/export/csv.ts'
import {
  journalEnd,
  journalHead,
  type JournalState,
  type JournalStyle,
  journalText,
  NEW_JOURNAL,
} from '../../core/export/journal.ts'
import { jsonLine } from '../../core/export/jsonl.ts'
import type { ExportRow, ExportTable } from '../../core/export/table.ts'
import type { ExportFormat } from '../../flows/read/encode-rows.ts'
import { parquetFile, type ParquetState } from '../../flows/read/parquet-file.ts'

/** Makes the bytes of a file of groups of rows. With its state another process can continue. */
export interface FileEncoder {
  head(): string
  add(rows: readonly ExportRow[]): Promise<string | Uint8Array>
  end(): string | Uint8Array
  state(): unknown
}

/** @param state what `state` of an encoder of the same file said; undefined: a new file */
export type MakeEncoder = (state: unknown) => FileEncoder

export function tableEncoder(table: ExportTable, format: ExportFormat): MakeEncoder {
  if (format === 'parquet') return (state) => parquetEncoder(table, state as ParquetState | undefined)
  const [head, line] = format === 'csv' ? [csvHeader(table), csvLine] : ['', jsonLine]
  return () => ({
    head: () => head,
    add: (rows) => Promise.resolve(rows.map((row) => line(table, row)).join('')),
    end: () => '',
    state: () => undefined,
  })
}

function parquetEncoder(table: ExportTable, state: ParquetState | undefined): FileEncoder {
  const file = parquetFile(table, state)
  return { head: () => '', add: (rows) => file.add(rows), end: () => file.end(), state: () => file.state() }
}

export function journalEncoder(style: JournalStyle): MakeEncoder {
  return (begun) => {
    let state = (begun as JournalState | undefined) ?? NEW_JOURNAL
    return {
      head: () => journalHead(style),
      add(rows) {
        const made = journalText(style, state, rows)
        state = made.state
        return Promise.resolve(made.text)
      },
      end: () => journalEnd(style, state),
      state: () => state,
    }
  }
}
