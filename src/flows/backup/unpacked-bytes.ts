import { NEWLINE } from './backup-format.ts'

/** Ends the rows of a section, where a line begins. */
const END = Buffer.from('\\.\n')
const END_AFTER_LINE = Buffer.from('\n\\.\n')

/**
 * Takes a stream of bytes apart, in order: a line here, many rows there. Holds one chunk in memory, and what is left
 * of the one before.
 */
export class UnpackedBytes {
  readonly #chunks: AsyncIterator<Buffer>
  #ahead: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /**
   * The next line with its newline. The last one may have none; after it, and when the line is longer than `bytesMax`,
   * undefined.
   */
  async line(bytesMax: number): Promise<Buffer | undefined> {
    for (let from = 0; ;) {
      const end = this.#ahead.indexOf(NEWLINE, from)
      if (end >= 0) return this.#take(end + 1)
      from = this.#ahead.length
      if (from > bytesMax) return undefined
      if (!(await this.#more())) return from > 0 ? this.#take(from) : undefined
    }
  }

  /** The rows up to the end of their section, in chunks of any size; then its end is read too. Short if cut off. */
  async *rows(): AsyncGenerator<Buffer> {
    for (let atLineStart = true; ;) {
      const end = this.#endOfRows(atLineStart)
      if (end !== undefined) {
        if (end > 0) yield this.#take(end)
        this.#take(END.length)
        return
      }
      const sure = this.#ahead.length - this.#possibleEnd(atLineStart)
      if (sure > 0) {
        const rows = this.#take(sure)
        atLineStart = rows.at(-1) === NEWLINE
        yield rows
      }
      if (!(await this.#more())) return
    }
  }

  /** Has everything been taken? */
  async isAtEnd(): Promise<boolean> {
    while (this.#ahead.length === 0) if (!(await this.#more())) return true
    return false
  }

  #endOfRows(atLineStart: boolean): number | undefined {
    if (atLineStart && this.#ahead.subarray(0, END.length).equals(END)) return 0
    const at = this.#ahead.indexOf(END_AFTER_LINE)
    return at < 0 ? undefined : at + 1
  }

  /** Bytes at the end of the chunk that may be the beginning of the end of the rows: 0 to 2. */
  #possibleEnd(atLineStart: boolean): number {
    const lineStart = this.#ahead.lastIndexOf(NEWLINE) + 1
    if (lineStart === 0 && !atLineStart) return 0
    const last = this.#ahead.subarray(lineStart)
    return last.length < END.length && END.subarray(0, last.length).equals(last) ? last.length : 0
  }

  #take(length: number): Buffer {
    const taken = this.#ahead.subarray(0, length)
    this.#ahead = this.#ahead.subarray(length)
    return taken
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done) return false
    this.#ahead = this.#ahead.length === 0 ? next.value : Buffer.concat([this.#ahead, next.value])
    return true
  }
}
