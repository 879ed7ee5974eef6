import type { HashedLine } from './event-lines.ts'
import {
  isMarked,
  type KnownLog,
  type KnownLogs,
  LineMarks,
  type LinePlace,
  type LogFinder,
} from './known-logs.ts'

/**
 * What a line is beside the known log that begins like its file:
 * - `new`: there is none, or the file goes on where it ends
 * - `same`: both have the same bytes up to here
 * - `open`: the same up to the last marked line; whether up to here is seen at the next one
 * - `other`: they differ
 */
export type LineStanding = 'new' | 'same' | 'open' | 'other'

/** One pass over a log: which known one it is, and how far it came. */
export class LogReading {
  readonly #path: string
  readonly #logs: KnownLogs
  readonly #finder: LogFinder
  readonly #marks: LineMarks
  #known: KnownLog | undefined
  #knownMarks: LineMarks | undefined
  /** What is remembered of this log. */
  #kept: KnownLog | undefined
  #first: LinePlace | undefined
  #common: LinePlace | undefined
  #last: LinePlace | undefined

  /** @param start the known log that this is; it is read from where that is done */
  constructor(path: string, logs: KnownLogs, start?: KnownLog) {
    this.#path = path
    this.#logs = logs
    this.#finder = logs.finder()
    this.#common = this.#last = start?.done
    this.#know(start)
    this.#marks = this.#knownMarks?.upTo(start!.done!.ordinal) ?? new LineMarks()
  }

  /** The log that begins like this one, as it was known before. */
  get known(): KnownLog | undefined {
    return this.#known
  }

  /** The last line that both are known to have. */
  get common(): LinePlace | undefined {
    return this.#common
  }

  get last(): LinePlace | undefined {
    return this.#last
  }

  /** The next line, which is ended. */
  read(line: HashedLine): { readonly standing: LineStanding; readonly place: LinePlace } {
    const ordinal = (this.#last?.ordinal ?? 0) + 1
    const place = { number: line.number, ordinal, end: line.end, digest: line.digest() }
    if (isMarked(ordinal)) this.#marks.add(place.digest)
    if (!this.#known && ordinal <= this.#finder.last) this.#know(this.#finder.find(place.digest))
    const standing = this.#standingOf(place)
    if (standing === 'same') this.#common = place
    this.#last = place
    return { standing, place }
  }

  /** The known log is another one after all, which does not matter where lines have request ids. */
  forgetKnown(): void {
    this.#know(undefined)
  }

  /** The line is an event. */
  isEvent(place: LinePlace): void {
    this.#first ??= place
  }

  /**
   * All lines up to this one were answered.
   * @param isDone was none of them refused?
   */
  answered(place: LinePlace, isDone: boolean): void {
    const { names, rules } = this.#logs.keys
    const kept = this.#kept
    const first = earlier(this.#first, kept?.first)
    if (!first) return
    const isAhead = !kept || place.ordinal >= kept.sent.ordinal
    const wasDone = kept?.done
    const isDoneFurther = isDone && (wasDone?.rules !== rules || wasDone.ordinal < place.ordinal)
    this.#kept = {
      path: this.#path,
      names,
      first,
      sent: isAhead ? place : kept.sent,
      done: isDoneFurther ? { ...place, rules } : wasDone,
      marks: isAhead ? this.#marks.toString() : kept.marks,
    }
    this.#logs.put(this.#kept)
  }

  #know(known: KnownLog | undefined): void {
    this.#known = known
    this.#kept = known
    this.#knownMarks = known && new LineMarks(known.marks)
  }

  #standingOf({ ordinal, digest }: LinePlace): LineStanding {
    const known = this.#known
    if (!known || ordinal > known.sent.ordinal) return 'new'
    if (ordinal <= known.first.ordinal) return 'same'
    if (ordinal === known.sent.ordinal) return digest === known.sent.digest ? 'same' : 'other'
    if (!isMarked(ordinal)) return 'open'
    return this.#knownMarks!.hasAt(ordinal, digest) ? 'same' : 'other'
  }
}

function earlier(a: LinePlace | undefined, b: LinePlace | undefined): LinePlace | undefined {
  if (!a || !b) return a ?? b
  return a.ordinal <= b.ordinal ? a : b
}
