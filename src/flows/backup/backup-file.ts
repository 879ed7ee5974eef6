import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { systemCode } from '../../store/embedded/refusal.ts'
import { BackupRefused } from './backup-refusal.ts'
import { damaged } from './read-backup.ts'

/** 1 is the fastest, 9 the smallest: beyond this it takes twice the time for a tenth less. */
const GZIP_LEVEL = 4
const CHUNK_BYTES = 262_144
/** How every gzip file begins. */
const GZIP_START = Buffer.from([0x1f, 0x8b])

/**
 * Pack a backup into a file, which only its owner can read. It is written under another name beside it, and gets its
 * own when it is complete and on disk; a backup that lies there is replaced then, and not before. A device or a pipe
 * is written to as it is.
 */
export async function packIntoFile(backup: AsyncIterable<Buffer>, path: string): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const found = await stat(target).catch(() => undefined)
  const isFile = !found || found.isFile()
  const draft = isFile ? `${target}.unfinished-${process.pid}` : target
  const file = await asFile(path, () => open(draft, 'w', 0o600))
  try {
    await pipeline(Readable.from(backup), gzip(), fileOutput(file, path))
    await asFile(path, async () => {
      if (isFile) await file.sync()
      await file.close()
      if (isFile) await rename(draft, target)
    })
  } catch (error) {
    await file.close().catch(() => {})
    if (isFile) await rm(draft, { force: true })
    throw error
  }
  if (isFile) await asFile(path, () => syncDirectory(dirname(target)))
}

/** A stream into a file that stays open. */
function fileOutput(file: FileHandle, path: string): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      asFile(path, () => file.writeFile(chunk)).then(() => done(), done)
    },
  })
}

/** The same into a stream that stays open. */
export async function packInto(backup: AsyncIterable<Buffer>, output: Writable): Promise<void> {
  await pipeline(Readable.from(backup), gzip(), output, { end: false })
}

function gzip() {
  return createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES })
}

/** So that the rename is still there after a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Something with the file of a backup: what the system has against it is no bug. */
async function asFile<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const full = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')
    const advice = full
      ? 'free some space, or name a file on another disk'
      : 'name a file that can be written'
    const reason = full ? 'the disk is full' : error instanceof Error ? error.message : String(error)
    throw new BackupRefused('backup/file_unwritable', `${path} cannot be written (${reason}): ${advice}.`)
  }
}

/** The bytes of a packed backup as they come, and how many there are, if that can be known. */
export interface PackedBackup {
  readonly bytes: Readable
  readonly size: number | undefined
}

/** Open a file for reading. @throws BackupRefused `backup/file_unreadable` */
export async function openBackupFile(path: string): Promise<PackedBackup> {
  try {
    const file = await open(path, 'r')
    const found = await file.stat()
    if (found.isDirectory()) throw new Error('it is a directory')
    const bytes = file.createReadStream({ highWaterMark: CHUNK_BYTES })
    return { bytes, size: found.isFile() ? found.size : undefined }
  } catch (error) {
    throw unreadable(error, path)
  }
}

export function unreadable(error: unknown, path: string): BackupRefused {
  const reason = error instanceof Error ? error.message : String(error)
  return new BackupRefused('backup/file_unreadable', `${path} cannot be read (${reason}): name a backup.`)
}

/**
 * Unpack a backup, whole: what is cut off, damaged, or followed by anything is refused.
 * @param onRead how many packed bytes were read so far
 */
export async function* unpack(
  { bytes }: PackedBackup,
  path: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  let read = 0
  let start = Buffer.alloc(0)
  bytes.on('data', (chunk: Buffer) => {
    if (start.length < GZIP_START.length) start = Buffer.concat([start, chunk.subarray(0, GZIP_START.length)])
    onRead((read += chunk.length))
  })
  bytes.on('error', (error) => gunzip.destroy(unreadable(error, path)))
  // Closed without an end: it was taken away.
  bytes.on('close', () => bytes.readableEnded || gunzip.destroy(unreadable('it was closed', path)))
  // Anyone who stops reading in the middle has no use for what is said then.
  gunzip.on('error', () => {})
  bytes.pipe(gunzip)
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (error) {
    throw refuseUnpacking(error, start)
  } finally {
    bytes.destroy()
    gunzip.destroy()
  }
  // Zeros after the end are passed over by gunzip, as tapes have them.
  if (gunzip.bytesWritten !== read) throw damaged('goes on after its end')
}

/** @param start the first bytes */
function refuseUnpacking(error: unknown, start: Buffer): unknown {
  const code = systemCode(error)
  if (code === undefined || !code.startsWith('Z_')) return error
  if (start.length === 0) return new BackupRefused('backup/not_a_backup', 'The file is empty: name a backup.')
  if (!GZIP_START.subarray(0, start.length).equals(start.subarray(0, GZIP_START.length))) {
    return new BackupRefused('backup/not_a_backup', 'The file is no backup of Farthing: name one.')
  }
  return damaged(code === 'Z_BUF_ERROR' ? 'is cut off' : 'was changed, or goes on after its end')
}
