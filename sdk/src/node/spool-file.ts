import { closeSync, fsync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SpoolOwner, SpoolRecord } from '../spool.ts'
import { lineOf } from './spool-lines.ts'

/** A file is written again when it is larger than this, and over half of it is settled. */
export const REWRITE_BYTES_MIN = 4 * 1024 * 1024

/** `never`: what is written survives the end of the process. `always`: that of the machine too. */
export type FsyncRule = 'never' | 'always'

/** The file of one process. Only whole lines count: what could not be written to its end is cut off. */
export class SpoolFile {
  readonly #path: string
  readonly #owner: SpoolOwner
  readonly #rule: FsyncRule
  readonly #header: Buffer
  #file: number
  /** Where the next line begins, and up to where all is on disk for good. */
  #size = 0
  #syncedSize = 0
  /** Bytes of lines that are needed. */
  #live = 0
  /** The last write failed; and something of it is perhaps still behind `#size`. */
  #isFailing = false
  #isTorn = false
  #rewriteAt = REWRITE_BYTES_MIN
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** Makes the file. Throws what the file system says. */
  constructor(path: string, owner: SpoolOwner, rule: FsyncRule) {
    this.#path = path
    this.#owner = owner
    this.#rule = rule
    this.#header = lineOf({ farthingSpool: 1, url: owner.url })
    this.#file = openSync(path, 'wx', 0o600)
    writeAll(this.#file, this.#header, 0)
    this.#size = this.#header.length
    if (rule === 'always') fsyncSync(this.#file)
  }

  append(record: SpoolRecord): number {
    const line = lineOf(record)
    try {
      if (this.#isTorn) this.#cut()
      writeAll(this.#file, line, this.#size)
    } catch (error) {
      this.#fail(error)
      return 0
    }
    this.#isFailing = false
    this.#size += line.length
    this.#live += line.length
    return line.length
  }

  /** Those who ask while one fsync runs share the next. */
  durable(): Promise<void> {
    if (this.#rule === 'never' || this.#syncedSize === this.#size) return Promise.resolve()
    this.#next ??= (this.#running ?? Promise.resolve()).then(() => {
      this.#running = this.#next
      this.#next = undefined
      return this.#sync()
    })
    return this.#next
  }

  settle(bytes: number): void {
    this.#live -= bytes
    if (this.#live === 0 && this.#size > this.#header.length) this.#empty()
    else if (this.#size >= this.#rewriteAt && this.#size > 2 * this.#live) this.#rewrite()
  }

  /** @returns what is left in it; without anything it is removed */
  async close(): Promise<void> {
    await this.#next
    await this.#running
    closeSync(this.#file)
    if (this.#live === 0) rmSync(this.#path, { force: true })
  }

  #fail(error: unknown): void {
    this.#isTorn = true
    try {
      this.#cut()
    } catch {
      // It is tried again before the next line.
    }
    if (this.#isFailing) return
    this.#isFailing = true
    const detail = `${reasonOf(error)}. Until it can be written again, what is taken is in memory only.`
    this.#owner.trouble('sdk/spool_not_written', `The spool ${this.#path} could not be written: ${detail}`)
  }

  #cut(): void {
    ftruncateSync(this.#file, this.#size)
    this.#isTorn = false
  }

  #empty(): void {
    const before = this.#size
    this.#size = this.#header.length
    try {
      this.#cut()
      this.#syncedSize = Math.min(this.#syncedSize, this.#size)
    } catch {
      // Everything in it is settled: if it is ever read, all of it is duplicates.
      this.#size = before
    }
  }

  #sync(): Promise<void> {
    const size = this.#size
    return new Promise((resolve) => {
      fsync(this.#file, (error) => {
        if (error) {
          const detail = `${reasonOf(error)}. What was written may not survive the end of the machine.`
          this.#owner.trouble(
            'sdk/spool_not_written',
            `The spool ${this.#path} could not be synced: ${detail}`,
          )
        } else this.#syncedSize = size
        resolve()
      })
    })
  }

  /** A fresh file with what is live, put in place of this one in one step. If that fails, all is as it was. */
  #rewrite(): void {
    const path = `${this.#path}.new`
    let file: number | undefined
    try {
      file = openSync(path, 'w', 0o600)
      writeAll(file, this.#header, 0)
      let size = this.#header.length
      const written: (() => void)[] = []
      for (const { record, saved } of this.#owner.live()) {
        const line = lineOf(record)
        writeAll(file, line, size)
        size += line.length
        written.push(() => saved(line.length))
      }
      if (this.#rule === 'always') fsyncSync(file)
      renameSync(path, this.#path)
      this.#replace(file, size)
      file = undefined
      for (const note of written) note()
      if (this.#rule === 'always') syncFolder(dirname(this.#path))
    } catch {
      if (file !== undefined) closeSync(file)
      rmSync(path, { force: true })
      this.#rewriteAt = this.#size * 2
    }
  }

  #replace(file: number, size: number): void {
    const old = this.#file
    this.#file = file
    this.#size = size
    this.#live = size - this.#header.length
    this.#syncedSize = this.#rule === 'always' ? size : 0
    this.#isTorn = false
    this.#rewriteAt = Math.max(REWRITE_BYTES_MIN, size * 2)
    // An fsync in progress must not meet another file under its number.
    void (this.#running ?? Promise.resolve()).then(() => closeSync(old))
  }
}

/** A write may take a part only: then the rest is written, or the reason why not is thrown. */
function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** So that the file's name is on disk for good too. */
export function syncFolder(folder: string): void {
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
