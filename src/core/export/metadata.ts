import { type ExportTable, PARQUET_DIGITS_MAX } from './table.ts'

/** Types of columns as the metadata schema of FOCUS names them. */
const TYPES = {
  text: 'STRING',
  json: 'JSON',
  instant: 'DATETIME',
  integer: 'INTEGER',
  boolean: 'BOOLEAN',
  decimal: 'DECIMAL',
} as const

/** What a file says of itself, for the file beside it. */
export interface Described {
  readonly table: ExportTable
  /** Of FOCUS; undefined: it is no file of FOCUS. */
  readonly focusVersion?: string
  readonly generator: string
  /** The version of Farthing. */
  readonly generatorVersion: string
}

/** The metadata file of an export, in the schema of FOCUS: which columns there are, and of which types. */
export function exportMetadata({ table, focusVersion, generator, generatorVersion }: Described): string {
  const columns = table.columns.map((column) => ({
    ColumnName: column.name,
    DataType: TYPES[column.type],
    ...(column.type === 'decimal' ? { NumericPrecision: PARQUET_DIGITS_MAX, NumberScale: column.scale } : {}),
    ...(column.type === 'text' || column.type === 'json' ? { StringEncoding: 'UTF-8' } : {}),
  }))
  const schema = {
    SchemaId: `farthing-${table.name}${focusVersion === undefined ? '' : `-${focusVersion}`}`,
    ...(focusVersion === undefined ? {} : { FocusVersion: focusVersion }),
    DataGeneratorVersion: generatorVersion,
    x_Csv: {
      LineEnd: 'CRLF',
      QuotedColumns: 'STRING, JSON',
      Null: 'an empty cell without quotes',
      Apostrophe: "a text that begins with = + - @ ' or a control character has one apostrophe before it",
    },
    ColumnDefinition: columns,
  }
  return `${JSON.stringify({ DataGenerator: { DataGenerator: generator }, Schema: schema }, undefined, 2)}\n`
}
