import type { RowGroup, SchemaElement } from 'hyparquet'
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { unscaled } from '../../core/export/unscaled.ts'
import {
  type DecimalColumn,
  type ExportColumn,
  type ExportRow,
  type ExportTable,
  PARQUET_DIGITS_MAX,
} from '../../core/export/table.ts'

/** Rows of a row group: what a writer, and a reader, have in memory at once. */
export const PARQUET_GROUP_ROWS = 10_000
/** Of a decimal of 38 digits. */
const DECIMAL_BYTES = 16

/** A value that Parquet cannot hold exactly. The message names it. */
export class DoesNotFit extends Error {
  override readonly name = 'DoesNotFit'
}

/** What has been written of a file: with it another process can continue. */
export interface ParquetState {
  readonly offset: number
  readonly rowGroups: readonly RowGroup[]
  readonly rows: bigint
}

/** A file of Parquet that is written group by group. */
export interface ParquetFile {
  /** The bytes that some rows add, as one group. Other work has its turn between columns. */
  add(rows: readonly ExportRow[]): Promise<Uint8Array>
  /** The last bytes. */
  end(): Uint8Array
  /** After whole groups. */
  state(): ParquetState
}

/** @param state of a file that another process began; undefined: a new one */
export function parquetFile(table: ExportTable, state?: ParquetState): ParquetFile {
  const bytes = new ByteWriter()
  const schema: SchemaElement[] = [
    { name: table.name, num_children: table.columns.length },
    ...table.columns.map(elementOf),
  ]
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'farthing' })
  if (state) {
    bytes.index = 0
    bytes.offset = state.offset
    writer.row_groups = [...state.rowGroups]
    writer.num_rows = state.rows
  }
  const take = () => {
    const taken = bytes.getBytes().slice()
    bytes.index = 0
    return taken
  }
  return {
    async add(rows) {
      const before = writer.row_groups.length
      for (const [index, column] of table.columns.entries()) {
        const source: ColumnSource = {
          name: column.name,
          data: valuesOf(table, rows, index),
          offsetIndex: false,
        }
        await writer.write({ columnData: [source], rowGroupSize: rows.length })
        await new Promise((resolve) => setImmediate(resolve))
      }
      writer.row_groups.push(asOneGroup(writer.row_groups.splice(before)))
      writer.num_rows = writer.row_groups.reduce((sum, group) => sum + group.num_rows, 0n)
      writer.pendingIndexes = []
      return take()
    },
    end() {
      void writer.finish()
      return take()
    },
    state: () => ({ offset: bytes.offset, rowGroups: writer.row_groups, rows: writer.num_rows }),
  }
}

/** The writer makes a group of whatever it is given: here of one column each. */
function asOneGroup(groups: readonly RowGroup[]): RowGroup {
  const sum = (valueOf: (group: RowGroup) => bigint | undefined) =>
    groups.reduce((total, group) => total + (valueOf(group) ?? 0n), 0n)
  return {
    columns: groups.flatMap(({ columns }) => columns),
    num_rows: groups[0]!.num_rows,
    total_byte_size: sum((group) => group.total_byte_size),
    total_compressed_size: sum((group) => group.total_compressed_size),
  }
}

function elementOf(column: ExportColumn): SchemaElement {
  const head = { name: column.name, repetition_type: 'OPTIONAL' } as const
  switch (column.type) {
    case 'decimal':
      return {
        ...head,
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: DECIMAL_BYTES,
        converted_type: 'DECIMAL',
        precision: PARQUET_DIGITS_MAX,
        scale: column.scale,
      }
    case 'instant':
      return {
        ...head,
        type: 'INT64',
        converted_type: 'TIMESTAMP_MILLIS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
      }
    case 'integer':
      return { ...head, type: 'INT64' }
    case 'boolean':
      return { ...head, type: 'BOOLEAN' }
    case 'text':
    case 'json':
      return { ...head, type: 'BYTE_ARRAY', converted_type: 'UTF8' }
  }
}

function valuesOf(table: ExportTable, rows: readonly ExportRow[], index: number): unknown[] {
  const column = table.columns[index]!
  return rows.map((row) => {
    const value = row[index]!
    if (value === null || column.type === 'text' || column.type === 'json') return value
    if (column.type !== 'decimal') return plainValue(column.type, value)
    const whole = unscaled(value, column.scale)
    if (whole === undefined) throw doesNotFit(table, column, row, value)
    return whole
  })
}

function plainValue(type: 'boolean' | 'integer' | 'instant', value: string): boolean | bigint | Date {
  if (type === 'boolean') return value === 'true'
  return type === 'integer' ? BigInt(value) : new Date(value)
}

function doesNotFit(
  { columns }: ExportTable,
  { name, scale }: DecimalColumn,
  row: ExportRow,
  value: string,
): DoesNotFit {
  const valueAt = (names: readonly string[]) =>
    row[columns.findIndex((column) => names.includes(column.name))]
  const line = `line ${valueAt(['x_LineNumber', 'number'])} of ${valueAt(['x_BillId', 'billId'])}`
  const type = `decimal(${PARQUET_DIGITS_MAX},${scale})`
  return new DoesNotFit(
    `${name} of ${line} is ${value}, which does not fit into ${type} of Parquet: export it as csv or jsonl.`,
  )
}
