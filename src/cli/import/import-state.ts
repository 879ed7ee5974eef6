import { createHash } from 'node:crypto'
import { readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'
import { type FileStart, HEAD_BYTES_MAX, isGzip } from './event-lines.ts'

/** How far a file was imported. */
interface Progress {
  /** SHA-256 of the file's first HEAD_BYTES_MAX bytes. */
  readonly head: string
  /** Every line that ends here or before has been answered, and none of them was refused. */
  readonly offset: number
  readonly lines: number
  /** SHA-256 of the HEAD_BYTES_MAX bytes before the offset. */
  readonly before: string
}

/** A line, from 1, and where it ends. */
export interface AnsweredLine {
  readonly number: number
  readonly end: number
}

/** Between two times that the state is written. */
export const STATE_SAVED_MS = 1_000
/** Files of which it is remembered how far they were imported, the latest ones. */
export const STATE_FILES_KEPT = 1_000

const KIND = 'farthing import state'

/**
 * How far files were imported, so that the next import begins there. It only saves work: what is imported twice
 * counts once. So in doubt it is not used: for a file that begins otherwise than it did, is shorter, has other bytes
 * before the place, is packed or has less than HEAD_BYTES_MAX bytes.
 */
export class ImportState {
  readonly #path: string
  readonly #key: string
  #files: readonly Progress[]
  #savedAt = performance.now()
  #latest: { readonly descriptor: number; readonly line: AnsweredLine } | undefined

  /**
   * @param key of what must be the same for lines to be passed over: the mapping, and the server
   * @throws CommandFailed when the path has something else
   */
  constructor(path: string, key: readonly (string | Uint8Array)[]) {
    this.#path = path
    const hash = createHash('sha256')
    for (const part of key) hash.update(createHash('sha256').update(part).digest())
    this.#key = hash.digest('hex')
    this.#files = readState(path, this.#key)
  }

  /** Where to begin with a file; undefined for its beginning. */
  startOf(descriptor: number): FileStart | undefined {
    const head = bytesOf(descriptor, 0)
    if (!head || isGzip(head)) return undefined
    const known = this.#files.find((one) => one.head === sha256(head))
    const before = known && bytesOf(descriptor, known.offset - HEAD_BYTES_MAX)
    if (!before || sha256(before) !== known.before) return undefined
    return { offset: known.offset, lines: known.lines, head }
  }

  /** All lines of a file up to this one are done. */
  note(descriptor: number, line: AnsweredLine): void {
    this.#latest = { descriptor, line }
    if (performance.now() - this.#savedAt > STATE_SAVED_MS) this.save()
  }

  /** What was noted last, at once. */
  save(): void {
    if (!this.#latest) return
    const { descriptor, line } = this.#latest
    this.#latest = undefined
    this.#savedAt = performance.now()
    const [head, before] = [bytesOf(descriptor, 0), bytesOf(descriptor, line.end - HEAD_BYTES_MAX)]
    if (!head || !before || isGzip(head)) return
    const progress = { head: sha256(head), offset: line.end, lines: line.number, before: sha256(before) }
    const others = this.#files.filter((one) => one.head !== progress.head)
    this.#files = [progress, ...others].slice(0, STATE_FILES_KEPT)
    this.#write()
  }

  /** All or nothing: a state that is cut off would be none. */
  #write(): void {
    const text = JSON.stringify({ kind: KIND, key: this.#key, files: this.#files })
    try {
      writeFileSync(`${this.#path}.new`, `${text}\n`)
      renameSync(`${this.#path}.new`, this.#path)
    } catch (error) {
      throw new CommandFailed(`${this.#path} cannot be written (${systemReason(error)}): name another file.`)
    }
  }
}

function readState(path: string, key: string): readonly Progress[] {
  if (!statSync(path, { throwIfNoEntry: false })) return []
  try {
    const text = readFileSync(path, 'utf8')
    // What a full disk or a power failure may leave.
    if (text.trim() === '') return []
    const state = JSON.parse(text) as { kind?: unknown; key?: unknown; files?: readonly Progress[] }
    if (state.kind === KIND) return state.key === key ? (state.files ?? []) : []
  } catch (error) {
    if (!(error instanceof SyntaxError)) {
      throw new CommandFailed(`${path} cannot be read (${systemReason(error)}): name another file.`)
    }
  }
  throw new CommandFailed(`${path} is no state of an import, and would be overwritten: name another file.`)
}

/** HEAD_BYTES_MAX bytes of a file; undefined when it has not so many there. */
function bytesOf(file: number, from: number): Buffer | undefined {
  if (from < 0) return undefined
  const bytes = Buffer.alloc(HEAD_BYTES_MAX)
  return readSync(file, bytes, 0, HEAD_BYTES_MAX, from) === HEAD_BYTES_MAX ? bytes : undefined
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
