/**
 * What a backup is made of (docs/backup.md): lines of JSON that say what follows, and rows in PostgreSQL's text format
 * for COPY. The whole is packed with gzip.
 */

/** The number of this format. One that this version does not know is refused, never guessed at. */
export const FORMAT = 1

/** Ends the rows of a section. No row looks like it: COPY writes every backslash of a value twice. */
export const END_OF_ROWS = '\\.\n'

/** The first line. */
export interface BackupHeader {
  readonly farthingBackup: number
  /** Of the Farthing that made it. */
  readonly farthing: string
  readonly postgresql: string
  /** RFC 3339, UTC: before the moment that the backup shows. */
  readonly createdAt: string
  /** All of them, in their order: they are the schema of what follows. */
  readonly migrations: readonly string[]
  /** What it is a backup of, for people. */
  readonly deployment: { readonly firstHour: string; readonly currency: string; readonly demo: boolean }
}

/** Before the rows of a table, or of one partition of it. */
export interface BackupSection {
  readonly table: string
  /** Hours since 1970-01-01T00Z, half-open; only of a table that is divided by hour. */
  readonly hours?: { readonly from: number; readonly to: number } | undefined
  readonly columns: readonly string[]
  /** The last number that each column that numbers rows by itself has given. */
  readonly identity?: Readonly<Record<string, string>> | undefined
}

/** After the rows of a section. */
export interface BackupSectionEnd {
  readonly rows: number
  /** SHA-256 of the rows' bytes, hexadecimal. */
  readonly sha256: string
}

/** After the last section. */
export interface BackupEnd {
  readonly end: true
  /** Of every table of the schema, those without a section included. */
  readonly tables: Readonly<Record<string, number>>
  readonly rows: number
}

/** The last line. */
export interface BackupDigest {
  /** SHA-256 of all bytes before this line, hexadecimal. */
  readonly sha256: string
}

/** A backup that was written or read to its end. */
export interface BackupSummary {
  readonly createdAt: string
  readonly farthing: string
  readonly tables: number
  readonly rows: number
  /** Bytes, before packing. */
  readonly bytes: number
  readonly sha256: string
}

/** How far it is. */
export interface BackupProgress {
  readonly rows: number
  /** Before packing. */
  readonly bytes: number
  /** 0 to 1, about; undefined when nobody can know. */
  readonly share: number | undefined
}

/** How many lines end in these bytes. */
export function countRows(bytes: Buffer): number {
  let rows = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) rows += 1
  return rows
}

export const NEWLINE = 10
