import type { Json } from '../text/canonical-json.ts'
import { nearest } from '../text/nearest.ts'

/** Something wrong with a mapping, and where. The last step of the path may be a key that is missing. */
export interface MapProblem {
  readonly path: readonly (string | number)[]
  /** Which of the two is wrong, when the path ends at a key. */
  readonly part: 'key' | 'value'
  readonly message: string
  readonly fix: string
}

/** A value of the mapping, where it stands, and where to report what is wrong with it. */
export interface MapField {
  readonly value: Json
  readonly path: readonly (string | number)[]
  /** Grows while the mapping is read; shared by all of its fields. */
  readonly problems: MapProblem[]
}

export function childOf(field: MapField, step: string | number, value: Json): MapField {
  return { value, path: [...field.path, step], problems: field.problems }
}

export function refuseField(field: MapField, message: string, fix: string): undefined {
  field.problems.push({ path: field.path, part: 'value', message: `${placeOf(field)} ${message}.`, fix })
}

export function refuseKey(field: MapField, message: string, fix: string): undefined {
  field.problems.push({ path: field.path, part: 'key', message: `${placeOf(field)} ${message}.`, fix })
}

/** `operations.GET /v1/photos` for messages. */
export function placeOf({ path }: MapField): string {
  return path.length === 0 ? 'The mapping' : path.join('.')
}

/** Own keys only and in a Map, so that `constructor` is a key like any other. */
export function entriesOf(field: MapField, fix: string): ReadonlyMap<string, MapField> | undefined {
  const { value } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuseField(field, 'is not a mapping', fix)
  }
  return new Map(Object.entries(value).map(([key, child]) => [key, childOf(field, key, child)]))
}

/** The entries of a mapping with fixed keys: a misspelt one would be a rule that silently does not hold. */
export function membersOf(
  field: MapField,
  known: readonly string[],
  fix: string,
): ReadonlyMap<string, MapField> | undefined {
  const entries = entriesOf(field, fix)
  for (const [key, child] of entries ?? []) {
    if (known.includes(key)) continue
    const guess = nearest(key, known)
    refuseKey(
      child,
      'is not known here',
      guess ? `write ${guess}` : `remove it; known here: ${known.join(', ')}`,
    )
  }
  return entries
}

export function textOfField(field: MapField, fix: string): string | undefined {
  if (typeof field.value === 'string' && field.value !== '') return field.value
  return refuseField(field, 'is not a text', fix)
}
