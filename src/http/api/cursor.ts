import { canonicalJson, type Json } from '../../core/text/canonical-json.ts'
import { BUCKETS } from '../../core/ingest/bucket.ts'
import { endOf, type Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import { LAST_HOUR } from './parameters.ts'
import { HttpProblem } from './problem.ts'

/** The numbers of a position, and the range of each: beyond it no item has one, and no column could hold it. */
const NUMBERS = {
  /** Hours of the years 1970 to 9999. */
  hour: [0, LAST_HOUR],
  bucket: [0, BUCKETS - 1],
  /** Milliseconds since 1970. */
  instant: [0, endOf(LAST_HOUR)],
  /** Of lines and versions, and how many. */
  number: [0, 2 ** 31 - 1],
  /** How many of the rest came before; -1: none of it. */
  rest: [-1, 2 ** 31 - 1],
  /** Of rows in the order in which they were made. */
  serial: [0, Number.MAX_SAFE_INTEGER],
} as const

type Part = keyof typeof NUMBERS | 'text'

type PositionOf<Parts extends readonly Part[]> = {
  readonly [Index in keyof Parts]: Parts[Index] extends 'text'
    ? string
    : Parts[Index] extends 'hour'
      ? Hour
      : Parts[Index] extends 'instant'
        ? Instant
        : number
}

/**
 * Where the next page of a list begins: the key of the last item, with the list's name, so that a cursor of
 * another list is noticed. Opaque to clients. It gives no access: what a key may see is checked again.
 */
export function writeCursor(list: string, position: readonly (string | number)[] | null): string | null {
  if (position === null) return null
  return Buffer.from(canonicalJson([list, ...position])).toString('base64url')
}

/**
 * Read a cursor that `writeCursor` wrote for this list.
 * @param parts the types of the position
 * @returns undefined without a cursor: the first page
 */
export function readCursor<const Parts extends readonly Part[]>(
  list: string,
  parts: Parts,
  text: string | undefined,
): PositionOf<Parts> | undefined {
  if (text === undefined) return undefined
  const position = decode(text)
  const fits =
    position.length === parts.length &&
    position.every((value, index) => isPart(value, parts[index]!)) &&
    // Byte by byte: what was changed, and comes to the same, is refused too.
    writeCursor(list, position as readonly (string | number)[]) === text
  if (fits) return position as unknown as PositionOf<Parts>
  const detail = 'cursor is not one of this list: send the `next` of the page before, unchanged.'
  throw new HttpProblem('request/invalid_cursor', detail)
}

/** What follows the name of the list. */
function decode(text: string): readonly Json[] {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Json
    return Array.isArray(value) ? (value as readonly Json[]).slice(1) : []
  } catch {
    return []
  }
}

function isPart(value: Json, part: Part): boolean {
  if (part === 'text') return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  const [least, most] = NUMBERS[part]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}
