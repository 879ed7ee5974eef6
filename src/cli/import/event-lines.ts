import { createReadStream, openSync, statSync } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'

/** A longer line is no event, and is not kept in memory. */
export const LINE_BYTES_MAX = 1_048_576

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const GZIP_MAGIC = [0x1f, 0x8b]

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

/** Bytes at the beginning of a file that are kept, to tell it from others. */
export const HEAD_BYTES_MAX = 4096

/** Where to begin in a file that was read before. It is not packed. */
export interface FileStart {
  /** Bytes, and lines, that are passed over. */
  readonly offset: number
  readonly lines: number
  /** The first HEAD_BYTES_MAX bytes. */
  readonly head: Buffer
}

export interface EventFile {
  /** Undefined but for a file that was asked where to begin. */
  readonly descriptor: number | undefined
  /** For messages: the path, or `standard input`. */
  readonly name: string
  /** Bytes in all, packed or not; undefined when that cannot be known. */
  readonly size: number | undefined
  /** Bytes that were read so far. */
  readonly bytesRead: () => number
  readonly lines: AsyncIterable<PlacedLine>
  /** The first HEAD_BYTES_MAX bytes, unpacked; of a shorter file, and while it is read, what was read. */
  readonly head: () => Buffer
  /** Stop reading: whoever waits for a next line gets an error, and the process can end. */
  readonly close: () => void
}

/**
 * NDJSON from a file or, with `-`, from standard input; unpacked if it is gzip (told by its first bytes, not
 * by its name).
 * @param startOf where to begin, for the descriptor of a file; undefined for its beginning
 * @throws CommandFailed from `lines` when it cannot be read, or the gzip data is damaged or cut off
 */
export function openEventFile(
  path: string,
  startOf?: (descriptor: number) => FileStart | undefined,
): EventFile {
  const isInput = path === '-'
  const name = isInput ? 'standard input' : path
  const size = isInput ? undefined : fileSize(path)
  const descriptor = startOf && size !== undefined ? openFile(path) : undefined
  const start = descriptor === undefined ? undefined : startOf!(descriptor)
  const source = isInput ? process.stdin : streamOf(path, descriptor, start?.offset ?? 0)
  let bytes = start?.offset ?? 0
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      bytes += (chunk as Buffer).length
      yield chunk as Buffer
    }
  }
  const head = new FileHead(start?.head)
  const chunks = start ? counted() : unpacked(counted())
  return {
    descriptor,
    name,
    size,
    bytesRead: () => bytes,
    lines: readLines(name, head.keep(chunks), start),
    head: () => head.bytes,
    // It closes the descriptor, too.
    close: () => source.destroy(),
  }
}

/** A descriptor stays that of the file, whatever a rotation does with the name. */
function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}

/** Open until it is destroyed: how far it was read is noted after its end. */
function streamOf(path: string, fd: number | undefined, start: number): ReturnType<typeof createReadStream> {
  return fd === undefined ? createReadStream(path) : createReadStream(path, { fd, start, autoClose: false })
}

function fileSize(path: string): number | undefined {
  try {
    const stat = statSync(path)
    if (stat.isDirectory()) throw new CommandFailed(`${path} is a directory: name a file of events.`)
    return stat.isFile() ? stat.size : undefined
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}

class FileHead {
  bytes: Buffer

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.bytes = bytes
  }

  async *keep(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      const missing = HEAD_BYTES_MAX - this.bytes.length
      if (missing > 0) this.bytes = Buffer.concat([this.bytes, chunk.subarray(0, missing)])
      yield chunk
    }
  }
}

/** @param chunks from `start` on, unpacked */
async function* readLines(
  name: string,
  chunks: AsyncIterable<Buffer>,
  start: FileStart | undefined,
): AsyncGenerator<PlacedLine> {
  let number = start?.lines ?? 0
  try {
    for await (const { bytes, ...place } of splitLines(chunks, start?.offset ?? 0)) {
      number += 1
      const line = number === 1 && bytes?.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes
      if (line === undefined || !isBlank(line)) yield { number, bytes: line, ...place }
    }
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    const damaged = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
    const what = damaged ? `is gzip, but damaged or cut off after line ${number}` : 'cannot be read'
    throw new CommandFailed(`${name} ${what} (${systemReason(error)}): get a whole copy.`)
  }
}

/** Is this the beginning of a file that gzip has packed? */
export function isGzip(head: Buffer): boolean {
  return GZIP_MAGIC.every((byte, at) => head[at] === byte)
}

async function* unpacked(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let head = Buffer.alloc(0)
  while (head.length < GZIP_MAGIC.length) {
    const { value, done } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head
    yield* chunks
  }
  if (!isGzip(head)) return yield* whole()
  const gunzip = createGunzip()
  // Its errors come out of the iteration below.
  pipeline(Readable.from(whole(), { objectMode: false }), gunzip, () => {})
  for await (const chunk of gunzip) yield chunk as Buffer
}

/**
 * The text of a line that is too long is dropped as it comes in.
 * @param offset of the first chunk
 */
async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  offset: number,
): AsyncGenerator<Omit<PlacedLine, 'number'>> {
  let pieces: Buffer[] = []
  let length = 0
  let from = offset
  const take = (piece: Buffer) => {
    length += piece.length
    if (length <= LINE_BYTES_MAX) pieces.push(piece)
    else pieces = []
  }
  const endLine = (isEnded: boolean) => {
    const line =
      length > LINE_BYTES_MAX ? undefined : pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    const bytes = line?.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line
    const place = { offset: from, end: from + length + (isEnded ? 1 : 0), isEnded }
    pieces = []
    length = 0
    from = place.end
    return { bytes, ...place }
  }
  for await (const chunk of chunks) {
    let at = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, at)) {
      take(chunk.subarray(at, to))
      yield endLine(true)
      at = to + 1
    }
    if (at < chunk.length) take(chunk.subarray(at))
  }
  if (length > 0) yield endLine(false)
}

/** JSON's white space only. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN)
}
