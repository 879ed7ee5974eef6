import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'

/** A part this much longer than its mark says is marked again: marks of Parquet grow with the file. */
const MARKED_SHARE = 0.05

/** How far a file is. It is written beside the part, now and then. */
interface Mark {
  /** What was asked for, and in which form: another question does not continue the part. */
  readonly question: string
  /** Bytes that count: what stands behind them is cut away. */
  readonly bytes: number
  readonly rows: number
  /** The last line so far, as the server takes it; undefined: none. */
  readonly after: string | undefined
  readonly encoder: unknown
}

/** A file that grows under another name, until it is whole. */
export interface PartFile {
  /** Where it stands; undefined: it is new. */
  readonly mark: Mark | undefined
  /** @param mark asked for when the part is to be marked */
  add(bytes: string | Uint8Array, mark: () => Omit<Mark, 'question' | 'bytes'>): Promise<void>
  /** It gets its name. */
  finish(bytes: string | Uint8Array): Promise<void>
  close(): Promise<void>
}

/**
 * The part of a file, begun or continued. A process that is killed leaves the part and its mark, and the same command
 * continues it: to the same bytes, since rows come in one order and groups have one size.
 */
export async function openPart(path: string, question: string): Promise<PartFile> {
  if (existsSync(path)) throw new CommandFailed(`${path} is there already: name another file, or remove it.`)
  const [part, noted] = [`${path}.part`, `${path}.part.state`]
  const mark = readMark(noted, question)
  if (!mark && existsSync(part)) {
    throw new CommandFailed(`${part} is the part of another export: remove it, or name another file.`)
  }
  const handle = await openFile(part, mark ? 'r+' : 'wx')
  let bytes = mark?.bytes ?? 0
  await handle.truncate(bytes)
  const write = async (text: string | Uint8Array) => {
    const data = typeof text === 'string' ? Buffer.from(text) : text
    if (data.length > 0) await writeAll(handle, data, bytes)
    bytes += data.length
  }
  let marked: number | undefined = mark?.bytes
  return {
    mark,
    async add(text, further) {
      await write(text)
      if (marked !== undefined && bytes - marked < bytes * MARKED_SHARE) return
      await handle.datasync()
      marked = bytes
      const mark: Mark = { ...further(), question, bytes }
      writeFileSync(`${noted}.new`, serialize(mark), { flush: true })
      renameSync(`${noted}.new`, noted)
    },
    async finish(text) {
      await write(text)
      await handle.datasync()
      await handle.close()
      renameSync(part, path)
      rmSync(noted, { force: true })
    },
    close: () => handle.close(),
  }
}

async function writeAll(handle: FileHandle, data: Uint8Array, from: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, from + done)
    done += bytesWritten
  }
}

/** A mark that cannot be read is none: the process died before the first one was whole. */
function readMark(path: string, question: string): Mark | undefined {
  if (!existsSync(path)) return undefined
  const mark = deserialize(readFileSync(path)) as Mark
  return mark.question === question ? mark : undefined
}

async function openFile(path: string, flags: 'r+' | 'wx'): Promise<FileHandle> {
  try {
    return await open(path, flags)
  } catch (error) {
    throw new CommandFailed(`${path} cannot be written (${systemReason(error)}): name another file.`)
  }
}
