import { createHash } from 'node:crypto'
import { eventOfLine, type LineRules } from '../../core/access-log/event-of-line.ts'
import type { LineRefusal } from '../../core/access-log/line-refusal.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import { type EventFile, type EventLine, HEAD_BYTES_MAX, type PlacedLine } from './event-lines.ts'

/** What a line came to that is not sent. */
export interface LineNotes {
  readonly onRefused: (line: PlacedLine, refusal: LineRefusal) => void
  readonly onIgnored: () => void
  /** The last line has no newline: whoever writes it may not be done. It is read the next time. */
  readonly onUnfinished: (line: PlacedLine) => void
}

/** An event, and where its line ends. */
export interface LogEventLine extends EventLine {
  readonly end: number
}

/** The events of an access log, as lines that can be sent. */
export async function* logEvents(
  file: Pick<EventFile, 'lines' | 'head'>,
  rules: LineRules,
  notes: LineNotes,
): AsyncGenerator<LogEventLine> {
  const places = new PlaceNames(file.head)
  for await (const line of file.lines) {
    const { number, end, bytes } = line
    if (!line.isEnded) {
      notes.onUnfinished(line)
      continue
    }
    if (bytes === undefined) {
      yield { number, end, bytes }
      continue
    }
    const place = rules.roles.id === undefined ? places.nameOf(line) : undefined
    const result = eventOfLine(rules, bytes.toString(rules.format.encoding), place)
    if (result.kind === 'event') yield { number, end, bytes: Buffer.from(JSON.stringify(result.event)) }
    else if (result.kind === 'ignored') notes.onIgnored()
    else notes.onRefused(line, result.refusal)
  }
}

/** @throws CommandFailed when lines would have to be named by their place, and the input has none */
export function requirePlaces(rules: LineRules, path: string): void {
  if (path !== '-' || rules.roles.id !== undefined) return
  throw new CommandFailed(
    'Lines of standard input have no place by which they could be told apart when they are sent again: ' +
      'log a request id (nginx: $request_id) and name it in the mapping (fields: { id: … }), or import the file.',
    EXIT.usage,
  )
}

/**
 * Names lines that have no request id: by the SHA-256 of the file's bytes from its beginning to the end of the line,
 * but at most of the first HEAD_BYTES_MAX, and the offset of the line. What is appended later changes no name; a
 * file that was renamed or packed has the same ones; one that was truncated and begun again has others, because it
 * begins otherwise.
 */
class PlaceNames {
  readonly #head: () => Buffer
  /** Of the whole head: for all lines but the first few. */
  #digest: string | undefined

  constructor(head: () => Buffer) {
    this.#head = head
  }

  nameOf({ offset, end }: PlacedLine): string {
    if (end < HEAD_BYTES_MAX) return `${sha256(this.#head().subarray(0, end))}:${offset}`
    this.#digest ??= sha256(this.#head())
    return `${this.#digest}:${offset}`
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
