import { eventOfLine, type LineRules } from '../../core/access-log/event-of-line.ts'
import type { LineRefusal } from '../../core/access-log/line-refusal.ts'
import { CommandFailed, EXIT } from '../terminal/command-failed.ts'
import type { EventLine, HashedLine, PlacedLine } from './event-lines.ts'
import type { LinePlace } from './known-logs.ts'
import type { LogReading } from './log-reading.ts'

/** What a line came to that is not sent. */
export interface LineNotes {
  readonly onRefused: (line: PlacedLine, refusal: LineRefusal) => void
  readonly onIgnored: () => void
  /** The last line has no newline: its writer may not be done. It is read the next time. */
  readonly onUnfinished: (line: PlacedLine) => void
  /**
   * The log is another one than the known one that begins like it, and no line from here on is sent.
   * @param lines that are left, this one included
   */
  readonly onOther: (line: PlacedLine, lines: number) => void
}

/** An event, and its line; the place only where it is remembered what was read. */
export interface LogEventLine extends EventLine {
  readonly place: LinePlace | undefined
}

/**
 * The events of an access log, as lines that can be sent.
 *
 * A line without a request id is named by the SHA-256 of the file up to its end, and the offset at which it begins. What
 * is appended later changes no name; a file that was renamed or packed has the same names. Two files share the names of
 * the lines that they have in common from their beginnings on, and of no others. Lines that a known log may have, too,
 * wait until it is seen whether the two are one.
 */
export async function* logEvents(
  lines: AsyncIterable<HashedLine>,
  rules: LineRules,
  notes: LineNotes,
  reading: LogReading | undefined,
): AsyncGenerator<LogEventLine> {
  const isNamedByPlace = rules.roles.id === undefined
  let waiting: ReadLine[] = []
  for await (const line of lines) {
    if (!line.isEnded) {
      notes.onUnfinished(line)
      continue
    }
    const { standing, place } = reading?.read(line) ?? NOT_COMPARED
    const read = { line, place, digest: place?.digest ?? (isNamedByPlace ? line.digest() : '') }
    if (!isNamedByPlace && standing === 'other') reading!.forgetKnown()
    else if (standing === 'other') {
      const left = await countEnded(lines)
      return notes.onOther(waiting[0]?.line ?? line, waiting.length + 1 + left)
    } else if (isNamedByPlace && standing === 'open') {
      waiting.push(read)
      continue
    }
    for (const one of [...waiting, read]) yield* eventsOf(one, { rules, notes, reading })
    waiting = []
  }
  for (const one of waiting) yield* eventsOf(one, { rules, notes, reading })
}

const NOT_COMPARED = { standing: 'new', place: undefined } as const

interface ReadLine {
  readonly line: PlacedLine
  readonly place: LinePlace | undefined
  readonly digest: string
}

interface Converting {
  readonly rules: LineRules
  readonly notes: LineNotes
  readonly reading: LogReading | undefined
}

function eventsOf(
  { line, place, digest }: ReadLine,
  { rules, notes, reading }: Converting,
): readonly LogEventLine[] {
  const { number, bytes, offset } = line
  if (bytes === undefined) return [{ number, place, bytes }]
  const result = eventOfLine(rules, bytes.toString(rules.format.encoding), `${digest}:${offset}`)
  if (result.kind === 'event') {
    if (place) reading?.isEvent(place)
    return [{ number, place, bytes: Buffer.from(JSON.stringify(result.event)) }]
  }
  if (result.kind === 'ignored') notes.onIgnored()
  else notes.onRefused(line, result.refusal)
  return []
}

/** Lines that are ended, among those that are left. */
export async function countEnded(lines: AsyncIterable<PlacedLine>): Promise<number> {
  let count = 0
  for await (const { isEnded } of lines) if (isEnded) count += 1
  return count
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
