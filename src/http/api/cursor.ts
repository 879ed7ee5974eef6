import { canonicalJson, type Json } from '../../core/text/canonical-json.ts'
import { HttpProblem } from './problem.ts'

/** `int` fits an integer column, `bigint` is any safe integer. */
type Part = 'int' | 'bigint' | 'string'

type PositionOf<Parts extends readonly Part[]> = {
  readonly [Index in keyof Parts]: Parts[Index] extends 'string' ? string : number
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
  const [name, ...position] = decode(text)
  const fits =
    name === list &&
    position.length === parts.length &&
    position.every((value, index) => isPart(value, parts[index]!))
  if (fits) return position as unknown as PositionOf<Parts>
  const detail = 'cursor is not one of this list: send the `next` of the page before, unchanged.'
  throw new HttpProblem('request/invalid_cursor', detail)
}

function decode(text: string): readonly Json[] {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Json
    return Array.isArray(value) ? (value as readonly Json[]) : []
  } catch {
    return []
  }
}

function isPart(value: Json, part: Part): boolean {
  if (part === 'string') return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  return Number.isSafeInteger(value) && (part === 'bigint' || Math.abs(value as number) < 2 ** 31)
}
