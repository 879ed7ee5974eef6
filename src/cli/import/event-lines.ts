import { createHash, type Hash } from 'node:crypto'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'
import { type FileBytes, openBytes } from './file-bytes.ts'

/** A longer line is no event, and is not kept in memory. */
export const LINE_BYTES_MAX = 1_048_576

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** One line that is not blank, without its newline. */
export interface EventLine {
  /** From 1, blank lines counted. */
  readonly number: number
  /** Undefined when the line is longer than LINE_BYTES_MAX. */
  readonly bytes: Buffer | undefined
}

/** A line with its place in the unpacked file. */
export interface PlacedLine extends EventLine {
  /** Bytes before the line. */
  readonly offset: number
  /** Bytes up to and with its newline. */
  readonly end: number
  /** False for a last line without a newline: it may be half written. */
  readonly isEnded: boolean
}

export interface EventFile extends Pick<FileBytes, 'name' | 'size' | 'bytesRead' | 'close'> {
  readonly lines: AsyncIterable<PlacedLine>
}

/**
 * NDJSON from a file or, with `-`, from standard input; unpacked if it is gzip.
 * @throws CommandFailed from `lines` when it cannot be read, or the gzip data is damaged or cut off
 */
export function openEventFile(path: string): EventFile {
  const bytes = openBytes(path)
  return { ...bytes, lines: readEventLines(bytes) }
}

export function readEventLines({ name, unpacked }: FileBytes): AsyncGenerator<PlacedLine> {
  return readLines(name, unpacked())
}

/** A place in a file between two lines. */
export interface FilePlace {
  /** Bytes, and lines, before it. */
  readonly offset: number
  readonly lines: number
  /** Has taken the bytes before it. */
  readonly hash: Hash
}

/** A line, and the SHA-256 of the unpacked file from its beginning to the end of this line. */
export interface HashedLine extends PlacedLine {
  /** To be asked before the next line is read. */
  readonly digest: () => string
}

/** @param chunks unpacked, from `place` on */
export async function* readHashedLines(
  name: string,
  chunks: AsyncIterable<Buffer>,
  place: FilePlace = { offset: 0, lines: 0, hash: createHash('sha256') },
): AsyncGenerator<HashedLine> {
  const digest = () => place.hash.copy().digest('hex')
  for await (const line of readLines(name, chunks, place)) yield { ...line, digest }
}

async function* readLines(
  name: string,
  chunks: AsyncIterable<Buffer>,
  place?: FilePlace,
): AsyncGenerator<PlacedLine> {
  let number = place?.lines ?? 0
  try {
    for await (const { bytes, ...at } of splitLines(chunks, place)) {
      number += 1
      const line = number === 1 && bytes?.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes
      if (line === undefined || !isBlank(line)) yield { number, bytes: line, ...at }
    }
  } catch (error) {
    throw unreadable(name, error, number)
  }
}

/** @param number of the last line that was read */
export function unreadable(name: string, error: unknown, number: number): CommandFailed {
  if (error instanceof CommandFailed) return error
  const damaged = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
  const what = damaged ? `is gzip, but damaged or cut off after line ${number}` : 'cannot be read'
  return new CommandFailed(`${name} ${what} (${systemReason(error)}): get a whole copy.`)
}

/** The text of a line that is too long is dropped as it comes in. */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  place: FilePlace | undefined,
): AsyncGenerator<Omit<PlacedLine, 'number'>> {
  let pieces: Buffer[] = []
  let length = 0
  let from = place?.offset ?? 0
  const take = (piece: Buffer) => {
    length += piece.length
    if (length <= LINE_BYTES_MAX) pieces.push(piece)
    else pieces = []
  }
  const endLine = (isEnded: boolean) => {
    const line =
      length > LINE_BYTES_MAX ? undefined : pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    const bytes = line?.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line
    const at = { offset: from, end: from + length + (isEnded ? 1 : 0), isEnded }
    pieces = []
    length = 0
    from = at.end
    return { bytes, ...at }
  }
  for await (const chunk of chunks) {
    let at = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, at)) {
      take(chunk.subarray(at, to))
      place?.hash.update(chunk.subarray(at, to + 1))
      yield endLine(true)
      at = to + 1
    }
    if (at === chunk.length) continue
    take(chunk.subarray(at))
    place?.hash.update(chunk.subarray(at))
  }
  if (length > 0) yield endLine(false)
}

/** JSON's white space only. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN)
}
