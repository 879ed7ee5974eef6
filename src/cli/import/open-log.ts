import { createHash, type Hash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { type FilePlace, type HashedLine, readHashedLines } from './event-lines.ts'
import { type FileBytes, openBytes } from './file-bytes.ts'
import { type KnownLog, KnownLogs } from './known-logs.ts'
import { LogReading } from './log-reading.ts'

/** A log that is about to be read. */
export interface OpenedLog {
  /** Absolute; of a pipe its name. */
  readonly path: string
  readonly reading: LogReading
  readonly lines: AsyncIterable<HashedLine>
  /** Another file that is there and begins like this one. */
  readonly twin: Twin | undefined
}

export interface Twin {
  readonly path: string
  /** Does it have the same lines, all of them? */
  readonly isDuplicate: boolean
}

/**
 * Find out which known log a file is, and begin where that is done.
 * @param file which is at its beginning. A pipe is read from there, because it can be read once
 */
export async function openLog(file: FileBytes, logs: KnownLogs): Promise<OpenedLog> {
  const isPipe = file.size === undefined
  const path = isPipe ? file.name : realpathSync(file.name)
  const known = isPipe ? undefined : await knownLike(file, logs)
  const twin = known && (await twinOf(file, path, known))
  // A copy leaves the log where it was.
  const keptPath = twin?.isDuplicate ? twin.path : path
  const begun = known && logs.isDoneBefore(known) ? await beginAt(file, known) : undefined
  const reading = new LogReading(keptPath, logs, begun && known)
  const lines = readHashedLines(file.name, begun?.chunks ?? file.unpacked(), begun?.place)
  return { path, reading, lines, twin }
}

async function knownLike(file: FileBytes, logs: KnownLogs): Promise<KnownLog | undefined> {
  const { last, find } = logs.finder()
  let ordinal = 0
  for await (const line of readHashedLines(file.name, file.unpacked())) {
    ordinal += 1
    if (ordinal > last || !line.isEnded) return undefined
    const known = find(line.digest())
    if (known) return known
  }
  return undefined
}

/** The known log, if it is still where it was, and this file is another one. */
async function twinOf(file: FileBytes, path: string, known: KnownLog): Promise<Twin | undefined> {
  const other = known.path === path || isSameFile(known.path, path) ? undefined : openIfThere(known.path)
  if (!other) return undefined
  try {
    const isThere = (await knownLike(other, new KnownLogs({ ...known, rules: '' }, [known]))) === known
    if (!isThere) return undefined
    const [own, its] = [await digestOfLines(file), await digestOfLines(other)]
    return { path: known.path, isDuplicate: own !== undefined && own === its }
  } finally {
    other.close()
  }
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }))
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

function openIfThere(path: string): FileBytes | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined
  try {
    return openBytes(path)
  } catch {
    // What cannot be read is not known to be there.
    return undefined
  }
}

/** SHA-256 of all lines that are ended; undefined if the file is damaged, which is said when it is imported. */
async function digestOfLines(file: FileBytes): Promise<string | undefined> {
  const hash = createHash('sha256')
  let upToLine: Hash = hash.copy()
  try {
    for await (const chunk of file.unpacked()) {
      const end = chunk.lastIndexOf('\n') + 1
      hash.update(chunk.subarray(0, end))
      if (end > 0) upToLine = hash.copy()
      hash.update(chunk.subarray(end))
    }
  } catch {
    return undefined
  }
  return upToLine.digest('hex')
}

interface Begun {
  readonly chunks: AsyncIterable<Buffer>
  readonly place: FilePlace
}

/** Pass over what is done of a known log; undefined if the file has other bytes up to there, or fewer. */
async function beginAt(file: FileBytes, { done }: KnownLog): Promise<Begun | undefined> {
  const { number, end, digest } = done!
  const hash = createHash('sha256')
  const chunks = file.unpacked()
  for (let left = end; ;) {
    const next = await chunks.next().catch(() => undefined)
    if (!next || next.done) return undefined
    const [before, after] = [next.value.subarray(0, left), next.value.subarray(left)]
    hash.update(before)
    left -= before.length
    if (left > 0) continue
    if (hash.copy().digest('hex') === digest) {
      return { chunks: join(after, chunks), place: { offset: end, lines: number, hash } }
    }
    await chunks.return(undefined)
    return undefined
  }
}

async function* join(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first
  yield* rest
}
