import type { Json } from '../../../text/canonical-json.ts'
import { NAME_BYTES_MAX } from '../../../ingest/read-text.ts'
import { nameTrouble } from '../../../text/name.ts'
import { nearest } from '../../../text/nearest.ts'
import {
  formatPath,
  type Path,
  type PriceBookProblem,
  type PriceBookProblemCode,
  PROBLEMS_MAX,
  quote,
} from './problem.ts'

/** A value of the plain data, where it stands, and where to report what is wrong with it. */
export interface Field {
  readonly value: Json
  readonly path: Path
  /** Grows while a book is read; shared by all its fields. */
  readonly problems: PriceBookProblem[]
}

/** Names of books, items and rates. They stand in addresses and paths, so that they have no blanks. */
const NAME = /^[A-Za-z0-9._:-]{1,128}$/

/** Report a problem with the field. The first 100 are kept. */
export function refuse(field: Field, code: PriceBookProblemCode, message: string, fix: string): undefined {
  if (field.problems.length < PROBLEMS_MAX) field.problems.push({ path: field.path, code, message, fix })
}

export function childOf(field: Field, step: string | number, value: Json): Field {
  return { value, path: [...field.path, step], problems: field.problems }
}

/** `items.ImageLabel` for messages: where the field stands. */
export function placeOf(field: Field): string {
  return formatPath(field.path)
}

/** What a value is, in the words of YAML. */
export function kindOf(value: Json): string {
  if (value === null) return 'null (nothing is written)'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return value === '' ? 'an empty text' : `the text ${quote(value)}`
  return `the ${typeof value} ${value}`
}

/**
 * The entries of a mapping, in their order. Own keys only and in a Map, so that `__proto__` or `constructor`
 * is a key like any other.
 * @returns undefined after `price_book/wrong_type`
 */
export function entriesOf(field: Field, example: string): ReadonlyMap<string, Field> | undefined {
  const { value } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(
      field,
      'price_book/wrong_type',
      `${placeOf(field)} is ${kindOf(value)}, not a mapping.`,
      example,
    )
  }
  return new Map(Object.entries(value).map(([key, child]) => [key, childOf(field, key, child)]))
}

/** The keys that a mapping may have. */
export interface Keys {
  /** Each with a value to write, for anyone who forgot it. */
  readonly required: Readonly<Record<string, string>>
  readonly optional: readonly string[]
}

/**
 * The fields of a mapping with fixed keys. Unknown keys are refused: a misspelt one would be a rule that
 * silently does not hold.
 * @returns undefined after `price_book/wrong_type`; other problems are reported beside the result
 */
export function fieldsOf(
  field: Field,
  { required, optional }: Keys,
  example: string,
): ReadonlyMap<string, Field> | undefined {
  const entries = entriesOf(field, example)
  if (!entries) return undefined
  const known = [...Object.keys(required), ...optional]
  const meant = new Set<string>()
  for (const [key, child] of entries) {
    if (known.includes(key)) continue
    const guess = nearest(
      key,
      known.filter((name) => !entries.has(name)),
    )
    if (guess !== undefined) meant.add(guess)
    const fix = guess === undefined ? `remove it; known here: ${known.join(', ')}` : `write ${guess}`
    refuse(child, 'price_book/unknown_key', `${placeOf(field)} has the unknown key ${quote(key)}.`, fix)
  }
  for (const [key, value] of Object.entries(required)) {
    if (entries.has(key) || meant.has(key)) continue
    const missing = childOf(field, key, null)
    refuse(missing, 'price_book/missing_key', `${placeOf(field)} has no ${key}.`, `add ${key}: ${value}`)
  }
  return entries
}

/**
 * The elements of a list of at least one.
 * @returns undefined after `price_book/wrong_type`, `price_book/empty` or `price_book/too_many`
 */
export function elementsOf(
  field: Field,
  { max, example }: { readonly max: number; readonly example: string },
): readonly Field[] | undefined {
  const { value } = field
  if (!Array.isArray(value)) {
    return refuse(
      field,
      'price_book/wrong_type',
      `${placeOf(field)} is ${kindOf(value)}, not a list.`,
      example,
    )
  }
  if (!refuseSize(field, value.length, { max, example })) return undefined
  return value.map((element: Json, index) => childOf(field, index, element))
}

/** Are there 1 to `max` entries? Reports `price_book/empty` and `price_book/too_many`. */
export function refuseSize(
  field: Field,
  size: number,
  { max, example }: { readonly max: number; readonly example: string },
): boolean {
  if (size === 0) refuse(field, 'price_book/empty', `${placeOf(field)} is empty.`, example)
  if (size > max) {
    const message = `${placeOf(field)} has ${size} entries.`
    refuse(field, 'price_book/too_many', message, `write at most ${max}`)
  }
  return size > 0 && size <= max
}

/** Is it a name: 1 to 128 characters of A-Z a-z 0-9 . _ : -? Reports `price_book/not_a_name` at the field. */
export function isName(field: Field, value: Json, what: string): value is string {
  if (typeof value === 'string' && NAME.test(value)) return true
  const message = `The name of ${what} is ${kindOf(value)}.`
  refuse(field, 'price_book/not_a_name', message, 'write 1 to 128 of A-Z a-z 0-9 . _ : -')
  return false
}

/**
 * Can events name an operation so? Whatever an event may say can be listed: routes such as `GET /v1/photos/:id`, too.
 * Reports `price_book/not_a_name` at the field.
 */
export function isOperation(field: Field, value: Json): value is string {
  if (typeof value !== 'string' || value === '') {
    const message = `The name of an operation is ${kindOf(value)}.`
    refuse(field, 'price_book/not_a_name', message, 'write its name as a text, in quotes if it is a number')
    return false
  }
  const trouble = nameTrouble(value, NAME_BYTES_MAX)
  if (trouble === undefined) return true
  const message = `The operation ${quote(value)} ${trouble}.`
  refuse(field, 'price_book/not_a_name', message, 'write it without, as events name it')
  return false
}

/** The distinct operations of a list. Reports `price_book/not_a_name` and `price_book/duplicate`. */
export function operationsOf(
  field: Field,
  { max, example }: { readonly max: number; readonly example: string },
): readonly string[] {
  const names = new Set<string>()
  for (const element of elementsOf(field, { max, example }) ?? []) {
    if (!isOperation(element, element.value)) continue
    if (names.has(element.value)) {
      const message = `${placeOf(field)} lists ${quote(element.value)} twice.`
      refuse(element, 'price_book/duplicate', message, 'remove one of the two')
    }
    names.add(element.value)
  }
  return [...names]
}
