/** A column of an exported file, and what it holds. */
export type ExportColumn = PlainColumn | DecimalColumn

interface PlainColumn {
  readonly name: string
  readonly type: 'text' | 'json' | 'instant' | 'boolean' | 'integer'
}

/** In Parquet: decimal(38, scale). */
export interface DecimalColumn {
  readonly name: string
  readonly type: 'decimal'
  readonly scale: number
}

/** Every format has the same columns in the same order. */
export interface ExportTable {
  readonly name: string
  readonly columns: readonly ExportColumn[]
}

/**
 * One value a column, as text: a plain decimal, RFC 3339 in UTC, `true` or `false`. Null: there is none. No value is ever a
 * JavaScript number.
 */
export type ExportRow = readonly (string | null)[]

/** Digits of a decimal of Parquet: the most that readers take. */
export const PARQUET_DIGITS_MAX = 38

/** Decimals of an amount, of a unit price, and of a quantity, in Parquet. */
const AMOUNT_SCALE = 18
const QUANTITY_SCALE = 12
/** Decimals of a quantity times a unit price, in Parquet: 12 and 12. */
const PRODUCT_SCALE = 24

export const text = (name: string): ExportColumn => ({ name, type: 'text' })
export const json = (name: string): ExportColumn => ({ name, type: 'json' })
export const instant = (name: string): ExportColumn => ({ name, type: 'instant' })
export const integer = (name: string): ExportColumn => ({ name, type: 'integer' })
export const truth = (name: string): ExportColumn => ({ name, type: 'boolean' })
export const amount = (name: string): ExportColumn => ({ name, type: 'decimal', scale: AMOUNT_SCALE })
export const quantity = (name: string): ExportColumn => ({ name, type: 'decimal', scale: QUANTITY_SCALE })
export const product = (name: string): ExportColumn => ({ name, type: 'decimal', scale: PRODUCT_SCALE })
