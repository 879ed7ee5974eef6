/** A line of a log, and what the log has up to its end. */
export interface LinePlace {
  /** From 1, blank lines counted. */
  readonly number: number
  /** The same without blank lines. */
  readonly ordinal: number
  /** Bytes up to and with its newline. */
  readonly end: number
  /** SHA-256 of the unpacked log from its beginning to `end`. */
  readonly digest: string
}

/** A log of which lines were sent: enough to tell whether another file is the same log, or only begins like it. */
export interface KnownLog {
  /** Absolute, where it was when it was imported last. */
  readonly path: string
  /** What names its lines besides its content: the server, and the events' source. */
  readonly names: string
  /** The first line that is an event. */
  readonly first: LinePlace
  /** The last line that was answered. */
  readonly sent: LinePlace
  /** All lines up to here were answered and none was refused, under these rules. Never beyond `sent`. */
  readonly done: (LinePlace & { readonly rules: string }) | undefined
  /** What LineMarks has, up to `sent` or further. */
  readonly marks: string
}

/** Bits of a line's ordinal that may be set in one that is marked. */
const MARK_BITS = 8
const MARK_BYTES = 4
/** Two logs are told apart at the very line up to here; further on within one line in 128. */
export const MARKED_LINES = 2 ** MARK_BITS

/** Is the digest up to this line kept? All of the first ones, then fewer: a log of any length has a short list. */
export function isMarked(ordinal: number): boolean {
  return ordinal % stepAt(ordinal) === 0
}

function stepAt(ordinal: number): number {
  return 2 ** Math.max(0, 32 - Math.clz32(ordinal) - MARK_BITS)
}

/** How many lines up to this one are marked. */
export function marksUpTo(ordinal: number): number {
  const bits = 32 - Math.clz32(ordinal)
  if (bits <= MARK_BITS) return ordinal
  const [ofDoubling, base] = [MARKED_LINES / 2, 2 ** (bits - 1)]
  const before = MARKED_LINES - 1 + ofDoubling * (bits - MARK_BITS - 1)
  return before + Math.floor((ordinal - base) / stepAt(ordinal)) + 1
}

/** The beginnings of the digests up to the marked lines of a log, in order. */
export class LineMarks {
  #bytes: Buffer

  constructor(text = '') {
    this.#bytes = Buffer.from(text, 'base64')
  }

  get count(): number {
    return this.#bytes.length / MARK_BYTES
  }

  add(digest: string): void {
    this.#bytes = Buffer.concat([this.#bytes, beginningOf(digest)])
  }

  /** Does the log with this digest up to a marked line have the same beginning up to there? */
  hasAt(ordinal: number, digest: string): boolean {
    const at = (marksUpTo(ordinal) - 1) * MARK_BYTES
    return this.#bytes.subarray(at, at + MARK_BYTES).equals(beginningOf(digest))
  }

  /** Of the lines up to this one. */
  upTo(ordinal: number): LineMarks {
    const marks = new LineMarks()
    marks.#bytes = this.#bytes.subarray(0, marksUpTo(ordinal) * MARK_BYTES)
    return marks
  }

  toString(): string {
    return this.#bytes.toString('base64')
  }
}

function beginningOf(digest: string): Buffer {
  return Buffer.from(digest.slice(0, 2 * MARK_BYTES), 'hex')
}

/** Logs that are remembered, the latest ones. */
export const KNOWN_LOGS_KEPT = 1_000

/** What is the same for all logs of one import. */
export interface ImportKeys {
  readonly names: string
  readonly rules: string
}

/** The logs that this import and, with a state, earlier ones have read. */
export class KnownLogs {
  readonly keys: ImportKeys
  #logs: readonly KnownLog[]
  readonly #fresh = new WeakSet<KnownLog>()

  constructor(keys: ImportKeys, logs: readonly KnownLog[] = []) {
    this.keys = keys
    this.#logs = logs
  }

  get all(): readonly KnownLog[] {
    return this.#logs
  }

  put(log: KnownLog): void {
    this.#fresh.add(log)
    const others = this.#logs.filter(({ names, first }) => {
      return names !== log.names || first.digest !== log.first.digest
    })
    this.#logs = [log, ...others].slice(0, KNOWN_LOGS_KEPT)
  }

  /** Was it imported before this import, under the same rules? Then what is done of it need not be sent again. */
  isDoneBefore(log: KnownLog): boolean {
    return log.done?.rules === this.keys.rules && !this.#fresh.has(log)
  }

  /** Logs of which a file may be one. */
  finder(): LogFinder {
    const mine = this.#logs.filter(({ names }) => names === this.keys.names)
    const byDigest = new Map(mine.map((log) => [log.first.digest, log]))
    const last = Math.max(0, ...mine.map(({ first }) => first.ordinal))
    return { last, find: (digest) => byDigest.get(digest) }
  }
}

/** Finds the log that begins with the same bytes, up to its first event, as a file. */
export interface LogFinder {
  /** Beyond this ordinal nothing is found. */
  readonly last: number
  /** @param digest up to any line of the file */
  readonly find: (digest: string) => KnownLog | undefined
}
