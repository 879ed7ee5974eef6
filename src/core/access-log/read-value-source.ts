import { nearest } from '../text/nearest.ts'
import type { ValueSource } from './event-of-line.ts'
import type { LogFormat } from './log-format.ts'
import { childOf, type MapField, membersOf, refuseField, textOfField } from './map-field.ts'

/** Places that are tried one after the other. */
export const SOURCES_MAX = 10

const KEYS = ['field', 'header', 'path', 'query', 'value'] as const
const EXAMPLE =
  'write { header: X-Account }, { field: remote_user }, { path: account }, { query: account } or { value: acme }'

interface Known {
  readonly format: LogFormat
  /** Parameters of the templates that this is for. */
  readonly parameters: ReadonlySet<string>
}

/** One place that a value comes from, or a list of those: the first that has one gives it. */
export function readSources(field: MapField, known: Known): readonly ValueSource[] {
  const { value } = field
  if (!Array.isArray(value)) return [readSource(field, known)].filter((source) => source !== undefined)
  if (value.length === 0 || value.length > SOURCES_MAX) {
    refuseField(field, `has ${value.length} places`, `write 1 to ${SOURCES_MAX}`)
    return []
  }
  return value.flatMap((one, at) => readSource(childOf(field, at, one), known) ?? [])
}

function readSource(field: MapField, known: Known): ValueSource | undefined {
  const members = membersOf(field, KEYS, EXAMPLE)
  if (!members) return undefined
  const [first, second] = members
  if (!first || second) return refuseField(field, 'is not one place', EXAMPLE)
  const [key, child] = first
  if (!KEYS.some((one) => one === key)) return undefined
  const name = textOfField(child, EXAMPLE)
  if (name === undefined) return undefined
  if (key === 'value') return { from: 'value', value: name }
  if (key === 'query') return { from: 'query', name }
  if (key === 'path') {
    if (known.parameters.has(name)) return { from: 'path', name }
    return refuseField(child, `is a parameter that no template has`, `write one with {${name}}`)
  }
  return readFieldName(child, key === 'header' ? known.format.headerField(name) : name, known.format)
}

/** @param name of the field; undefined for a header where the format has none */
export function readFieldName(
  field: MapField,
  name: string | undefined,
  { fields, name: format }: LogFormat,
): (ValueSource & { readonly from: 'field' }) | undefined {
  if (name === undefined) {
    const fix = fields
      ? 'use another place'
      : 'write { field: request.headers.X-Account } or as the lines have it'
    return refuseField(field, `is a header, and ${format} says not where it is`, fix)
  }
  if (!fields || fields.includes(name)) return { from: 'field', name }
  const guess = nearest(name, fields)
  const fix = guess ? `write ${guess}` : `log it too; the format has ${fields.join(', ')}`
  return refuseField(field, `(${name}) is not in the format of the log`, fix)
}
