/** Small chunks are copied together into blocks of so many bytes: each chunk by itself takes up some 200 more. */
const BLOCK_BYTES = 16_384
/** The first block of a body. */
const FIRST_BLOCK_BYTES = 256

/**
 * The chunks of a body. Anyone can send a body byte by byte, so what it takes up must follow from its bytes, and not from
 * its chunks: at most twice as much.
 */
export class Gathered {
  readonly #parts: Buffer[] = []
  #block: Buffer | undefined
  #used = 0
  length = 0

  add(chunk: Buffer): void {
    const isFirst = this.length === 0
    this.length += chunk.length
    if (isFirst || chunk.length >= BLOCK_BYTES) {
      this.#endBlock()
      this.#parts.push(chunk)
      return
    }
    for (let from = 0; from < chunk.length;) {
      const block = (this.#block ??= newBlock(this.length))
      const copied = chunk.copy(block, this.#used, from)
      from += copied
      this.#used += copied
      if (this.#used === block.length) this.#endBlock()
    }
  }

  #endBlock(): void {
    if (this.#block) this.#parts.push(this.#block.subarray(0, this.#used))
    this.#block = undefined
    this.#used = 0
  }

  /** Once: all of it. Most bodies are one chunk. */
  end(): Buffer {
    this.#endBlock()
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.length)
  }
}

/** @param length of the body so far */
function newBlock(length: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, length)))
}
