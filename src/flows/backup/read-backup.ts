import { createHash, type Hash } from 'node:crypto'
import {
  type BackupEnd,
  type BackupHeader,
  type BackupProgress,
  type BackupSection,
  type BackupSectionEnd,
  type BackupSummary,
  countRows,
  END_OF_ROWS,
  FORMAT,
  NEWLINE,
} from './backup-format.ts'
import { BackupRefused } from './backup-refusal.ts'
import { UnpackedBytes } from './unpacked-bytes.ts'

/** Bytes of a line of JSON: a table has some tens of columns, and the schema some hundred migrations. */
export const BACKUP_LINE_BYTES_MAX = 1_048_576

/** What a backup is made of, in the order in which it comes. */
export type BackupPart =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'section'; readonly section: BackupSection }
  /** Any number of these: bytes of rows, cut anywhere. */
  | { readonly kind: 'rows'; readonly rows: Buffer }
  | { readonly kind: 'section end'; readonly section: BackupSection }
  /** The last: all digests and counts are right, and nothing comes after it. */
  | { readonly kind: 'end'; readonly summary: BackupSummary; readonly end: BackupEnd }

/** What was read so far. */
interface Read {
  readonly all: Hash
  bytes: number
  rows: number
  readonly tables: Record<string, number>
}

/**
 * Take a backup apart, and check it on the way. Anyone who acts on its parts must be able to undo that until the last
 * part has come. Throws `BackupRefused` where it is no backup, is cut off, was changed, or is of a newer format.
 * @param unpacked its bytes without gzip
 */
export async function* readBackup(
  unpacked: AsyncIterable<Buffer>,
  onProgress: (progress: Omit<BackupProgress, 'share'>) => void = () => {},
): AsyncGenerator<BackupPart> {
  const bytes = new UnpackedBytes(unpacked)
  const read: Read = { all: createHash('sha256'), bytes: 0, rows: 0, tables: {} }
  const header = await readHeader(bytes, read)
  yield { kind: 'header', header }
  for (;;) {
    const value = await readLine(bytes, read)
    if (isEnd(value)) {
      yield { kind: 'end', end: value, summary: await readDigest(bytes, read, header, value) }
      return
    }
    if (!isSection(value)) throw damaged('has a line that is neither a table nor the end')
    yield { kind: 'section', section: value }
    yield* readRows(bytes, read, value, onProgress)
    yield { kind: 'section end', section: value }
  }
}

async function* readRows(
  bytes: UnpackedBytes,
  read: Read,
  section: BackupSection,
  onProgress: (progress: Omit<BackupProgress, 'share'>) => void,
): AsyncGenerator<BackupPart> {
  const sha256 = createHash('sha256')
  const before = read.rows
  for await (const rows of bytes.rows()) {
    sha256.update(rows)
    take(read, rows)
    read.rows += countRows(rows)
    onProgress({ rows: read.rows, bytes: read.bytes })
    yield { kind: 'rows', rows }
  }
  take(read, Buffer.from(END_OF_ROWS))
  const end = await readLine(bytes, read)
  if (!isSectionEnd(end)) throw damaged(`has no digest after the rows of ${section.table}`)
  const count = read.rows - before
  if (end.rows !== count || end.sha256 !== sha256.digest('hex')) {
    throw damaged(`has other rows of ${section.table} than it was written with`)
  }
  read.tables[section.table] = (read.tables[section.table] ?? 0) + count
}

async function readHeader(bytes: UnpackedBytes, read: Read): Promise<BackupHeader> {
  const line = await bytes.line(BACKUP_LINE_BYTES_MAX)
  const header = line && parse(line)
  if (!line || !isRecord(header) || typeof header['farthingBackup'] !== 'number') {
    throw new BackupRefused('backup/not_a_backup', 'The file is no backup of Farthing: name one.')
  }
  if (header['farthingBackup'] > FORMAT) {
    const what = `The file has format ${header['farthingBackup']}, and this version knows ${FORMAT}`
    throw new BackupRefused(
      'backup/newer_version',
      `${what}: use Farthing ${shown(header['farthing'])} or newer.`,
    )
  }
  if (!isHeader(header)) throw damaged('has a first line that lacks something')
  take(read, line)
  return header
}

async function readLine(bytes: UnpackedBytes, read: Read): Promise<unknown> {
  const line = await bytes.line(BACKUP_LINE_BYTES_MAX)
  if (line?.at(-1) !== NEWLINE) throw damaged('is cut off')
  take(read, line)
  return parse(line)
}

function take(read: Read, bytes: Buffer): void {
  read.all.update(bytes)
  read.bytes += bytes.length
}

/** The counts, and the last line, after which there is nothing. */
async function readDigest(
  bytes: UnpackedBytes,
  read: Read,
  { createdAt, farthing }: BackupHeader,
  { tables, rows }: BackupEnd,
): Promise<BackupSummary> {
  const sha256 = read.all.copy().digest('hex')
  const digest = await readLine(bytes, read)
  const counts = Object.entries(tables)
  const sameCounts = counts.every(([table, count]) => count === (read.tables[table] ?? 0))
  const sameTables = Object.keys(read.tables).every((table) => table in tables)
  if (!isRecord(digest) || digest['sha256'] !== sha256 || rows !== read.rows || !sameCounts || !sameTables) {
    throw damaged('is not as it was written: its digest differs')
  }
  if (!(await bytes.isAtEnd())) throw damaged('goes on after its end')
  return { createdAt, farthing, tables: counts.length, rows, bytes: read.bytes, sha256 }
}

/** @param what happened to it, after "The backup" */
export function damaged(what: string): BackupRefused {
  return new BackupRefused(
    'backup/damaged',
    `The backup ${what}: use another copy of it. Nothing was changed.`,
  )
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** Foreign text in a message. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 40).replaceAll(/[^\w.+-]/g, '?') : 'of another version'
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function isHeader(value: Fields): value is Fields & BackupHeader {
  const { farthing, postgresql, createdAt, migrations, deployment } = value
  return isTexts([farthing, postgresql, createdAt]) && isTexts(migrations) && isRecord(deployment)
}

function isSection(value: unknown): value is BackupSection {
  if (!isRecord(value) || typeof value['table'] !== 'string' || !isTexts(value['columns'])) return false
  const { hours, identity } = value
  const hasHours = isRecord(hours) && Number.isSafeInteger(hours['from']) && Number.isSafeInteger(hours['to'])
  const hasNumbers =
    isRecord(identity) && Object.values(identity).every((last) => /^\d{1,19}$/.test(String(last)))
  return (hours === undefined || hasHours) && (identity === undefined || hasNumbers)
}

function isSectionEnd(value: unknown): value is BackupSectionEnd {
  return isRecord(value) && Number.isSafeInteger(value['rows']) && typeof value['sha256'] === 'string'
}

function isEnd(value: unknown): value is BackupEnd {
  return (
    isRecord(value) &&
    value['end'] === true &&
    Number.isSafeInteger(value['rows']) &&
    isRecord(value['tables'])
  )
}
