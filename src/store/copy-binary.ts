/** `PGCOPY\n\xff\r\n\0`, flags, and the length of an extension, which is 0. */
const HEADER_BYTES = 19
const LENGTH_BYTES = 4
const COUNT_BYTES = 2

/** The rows of a `copy … to stdout (format binary)`, none of whose values is null. */
export async function* readBinaryRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Buffer[]> {
  const bytes = new Bytes(chunks)
  if (!(await bytes.has(HEADER_BYTES))) return
  bytes.take(HEADER_BYTES)
  while (await bytes.has(COUNT_BYTES)) {
    const count = bytes.take(COUNT_BYTES).readInt16BE()
    if (count === -1) return
    const row: Buffer[] = []
    for (let field = 0; field < count; field++) {
      await bytes.has(LENGTH_BYTES)
      const length = bytes.take(LENGTH_BYTES).readInt32BE()
      await bytes.has(length)
      row.push(bytes.take(length))
    }
    yield row
  }
}

/** Bytes that come in pieces, taken in others. Joined once for each value, however many pieces it came in. */
class Bytes {
  readonly #chunks: AsyncIterator<Buffer>
  #pieces: Buffer[] = []
  #length = 0

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Wait for so many. False when the end comes before. */
  async has(length: number): Promise<boolean> {
    while (this.#length < length) {
      const { done, value } = await this.#chunks.next()
      if (done) return false
      this.#pieces.push(value)
      this.#length += value.length
    }
    return true
  }

  /** They must be there. */
  take(length: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#pieces
    const joined = first.length >= length ? first : Buffer.concat(this.#pieces)
    if (joined !== first) this.#pieces = [joined]
    this.#length -= length
    if (joined.length > length) this.#pieces[0] = joined.subarray(length)
    else this.#pieces.shift()
    return joined.subarray(0, length)
  }
}
