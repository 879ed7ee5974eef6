import { createHash } from 'node:crypto'
import type { LineRules } from '../../core/access-log/event-of-line.ts'
import { type EventLine, readHashedLines } from './event-lines.ts'
import type { FileBytes } from './file-bytes.ts'
import { countEnded, type LogEventLine, logEvents } from './import-log.ts'
import type { Sent } from './import-sent.ts'
import type { ImportState } from './import-state.ts'
import { type ImportKeys, KnownLogs, type LinePlace } from './known-logs.ts'
import { LogWords, otherDetail, otherTwinDetail } from './log-words.ts'
import type { LogReading } from './log-reading.ts'
import { type OpenedLog, openLog } from './open-log.ts'

/** Where the lines of a log go; resolves when all that were sent are answered. */
export type SendLines = (
  lines: AsyncIterable<EventLine>,
  onAnswered?: (line: EventLine) => void,
) => Promise<void>

interface WholeLog {
  readonly isPipe: boolean
  /** Of its lines. */
  readonly digest: string
}

/** Sends the access logs of one import. No line is lost because another log has it, too, without a word. */
export class LogImport {
  readonly words = new LogWords()
  readonly #rules: LineRules
  readonly #sent: Sent
  readonly #state: ImportState | undefined
  readonly #logs: KnownLogs
  /** What this import has read, by path. */
  readonly #whole = new Map<string, WholeLog>()

  /** @param keys of what names lines, and of what they become */
  constructor(rules: LineRules, keys: ImportKeys, sent: Sent, state: ImportState | undefined) {
    this.#rules = rules
    this.#sent = sent
    this.#state = state
    this.#logs = new KnownLogs(keys, state?.read(this.#isNamedByPlace))
    state?.follow(this.#logs)
  }

  get #isNamedByPlace(): boolean {
    return this.#rules.roles.id === undefined
  }

  async send(file: FileBytes, send: SendLines): Promise<void> {
    const sent = this.#sent
    if (!this.#isNamedByPlace && !this.#state) {
      const notes = { ...sent.notesOf(file.name), onOther() {} }
      const lines = readHashedLines(file.name, file.unpacked())
      return send(logEvents(lines, this.#rules, notes, undefined))
    }
    const opened = await openLog(file, this.#logs)
    const { twin } = opened
    if (!this.#isNamedByPlace || !twin || twin.isDuplicate) return this.#sendOpened(file, opened, send)
    const lines = await countEnded(readHashedLines(file.name, file.unpacked()))
    sent.refuseOther(file.name, { line: 1, lines, repeats: 0, detail: otherTwinDetail(twin.path) })
  }

  async #sendOpened(file: FileBytes, opened: OpenedLog, send: SendLines): Promise<void> {
    const { reading, lines, twin } = opened
    const sent = this.#sent
    const before = sent.counts
    let other: { readonly line: number; readonly lines: number } | undefined
    const notes = {
      ...sent.notesOf(file.name),
      onOther: ({ number }: EventLine, left: number) => (other = { line: number, lines: left }),
    }
    const events = logEvents(lines, this.#rules, notes, reading)
    try {
      await send(events, (line) => this.#note(file.name, reading, (line as LogEventLine).place!))
      // Lines at the end that are no events are dealt with, too.
      if (!other && reading.last) this.#note(file.name, reading, reading.last)
    } finally {
      this.#state?.save()
    }
    if (!this.#isNamedByPlace) return
    const repeats = sent.counts.duplicates - before.duplicates
    const news = sent.counts.accepted + sent.counts.held - before.accepted - before.held
    if (other) {
      const detail = otherDetail(opened.path, reading, 0)
      return sent.refuseOther(file.name, { ...other, repeats, detail })
    }
    if (this.#isOtherAfterAll(file, opened, news)) {
      const line = (reading.common?.number ?? 0) + 1
      const detail = otherDetail(opened.path, reading, news)
      return sent.refuseOther(file.name, { line, lines: 0, repeats, detail })
    }
    if (twin) this.words.sayDuplicate(file.name, twin.path, reading)
    else if (reading.known) this.words.noteKnown(file.name, opened.path, reading.known)
    else this.words.noteStrange(repeats)
  }

  #note(file: string, reading: LogReading, place: LinePlace): void {
    reading.answered(place, !this.#sent.hasRefusedUpTo(file, place.number))
    this.#state?.changed()
  }

  /** What could not be seen before lines were sent: of pipes, and of long logs that differ in their last lines only. */
  #isOtherAfterAll({ size }: FileBytes, { path, reading }: OpenedLog, news: number): boolean {
    const { known, last, common } = reading
    const own = { isPipe: size === undefined, digest: last?.digest ?? '' }
    this.#whole.set(path, own)
    if (!known || !last) return false
    const isBeyondCommon = last.ordinal < known.sent.ordinal && last.ordinal > common!.ordinal
    if (isBeyondCommon && news > 0) return true
    const its = known.path === path ? undefined : this.#whole.get(known.path)
    return its !== undefined && (its.isPipe || own.isPipe) && its.digest !== own.digest
  }
}

/** What must be the same for lines to have the same names, and to become the same events. */
export function importKeys(
  names: { readonly url: string; readonly source: string },
  rules: { readonly map: Uint8Array; readonly format: string },
): ImportKeys {
  return { names: keyOf([names.url, names.source]), rules: keyOf([rules.map, rules.format]) }
}

function keyOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex')
}
