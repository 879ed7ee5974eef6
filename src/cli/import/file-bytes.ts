import { closeSync, createReadStream, openSync, read, statSync } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'

const GZIP_MAGIC = [0x1f, 0x8b]
const CHUNK_BYTES = 262_144

/** The bytes of a file, or of standard input. */
export interface FileBytes {
  /** For messages: the path, or `standard input`. */
  readonly name: string
  /** Bytes in all, packed or not; undefined for a pipe, which can be read once. */
  readonly size: number | undefined
  /** Bytes that were read so far, packed or not. */
  readonly bytesRead: () => number
  /** From the beginning, unpacked if they are gzip (told by the first bytes, not by the name). */
  readonly unpacked: () => AsyncGenerator<Buffer>
  /** Stop reading: a reader that waits for more gets an error, and the process can end. */
  readonly close: () => void
}

/**
 * Open a file or, with `-`, standard input. A file stays the same one when its name goes to another.
 * @throws CommandFailed when it cannot be read
 */
export function openBytes(path: string): FileBytes {
  const isInput = path === '-'
  const name = isInput ? 'standard input' : path
  const size = isInput ? undefined : fileSize(path)
  return size === undefined ? openPipe(name, isInput ? undefined : path) : openRegular(path, size)
}

function openRegular(path: string, size: number): FileBytes {
  const descriptor = openDescriptor(path)
  let isOpen = true
  let bytes = 0
  async function* packed(): AsyncGenerator<Buffer> {
    for (bytes = 0; isOpen;) {
      const { bytesRead, buffer } = await readAt(descriptor, Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, bytes)
      if (bytesRead === 0) return
      bytes += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }
  return {
    name: path,
    size,
    bytesRead: () => bytes,
    unpacked: () => unpacked(packed()),
    close: () => {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}

const readAt = promisify(read)

/** @param path undefined for standard input */
function openPipe(name: string, path: string | undefined): FileBytes {
  const source = path === undefined ? process.stdin : createReadStream(path)
  let bytes = 0
  async function* packed(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      bytes += (chunk as Buffer).length
      yield chunk as Buffer
    }
  }
  return {
    name,
    size: undefined,
    bytesRead: () => bytes,
    unpacked: () => unpacked(packed()),
    close: () => source.destroy(),
  }
}

function openDescriptor(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): check the name.`)
  }
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
  if (!GZIP_MAGIC.every((byte, at) => head[at] === byte)) return yield* whole()
  const gunzip = createGunzip()
  // Its errors come out of the iteration below.
  pipeline(Readable.from(whole(), { objectMode: false }), gunzip, () => {})
  for await (const chunk of gunzip) yield chunk as Buffer
}
