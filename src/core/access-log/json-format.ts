import type { Json } from '../text/canonical-json.ts'
import { bytesOf } from './byte-text.ts'
import { type LineRefusal, refuseLine } from './line-refusal.ts'
import type { LogFields, LogFormat, Roles } from './log-format.ts'

/** Levels of a JSON line whose members have names: `request.headers.X-Account`. */
const LEVELS = 4

/** One JSON object a line. Members of inner objects are named with a point between. */
export function jsonFormat(name: 'json' | 'envoy' | 'nginx', roles: Roles): LogFormat {
  return {
    name,
    encoding: 'utf8',
    fields: undefined,
    roles,
    headerField: () => undefined,
    read: readJsonLine,
  }
}

function readJsonLine(line: string): LogFields | LineRefusal {
  let value: Json
  try {
    value = JSON.parse(line) as Json
  } catch {
    return refuseLine('log/unreadable', 'The line is not JSON: check that the format is that of this file.')
  }
  if (!isObject(value)) {
    return refuseLine(
      'log/unreadable',
      'The line is no JSON object: check that the format is that of this file.',
    )
  }
  const fields = new Map<string, string>()
  collect(value, { prefix: '', level: 1, fields })
  return fields
}

function collect(
  object: { readonly [key: string]: Json },
  {
    prefix,
    level,
    fields,
  }: { readonly prefix: string; readonly level: number; readonly fields: Map<string, string> },
): void {
  for (const [key, member] of Object.entries(object)) {
    const name = prefix + key
    // Caddy and others write a header as a list of its values.
    const value = Array.isArray(member) && member.length === 1 ? (member[0] as Json) : member
    if (typeof value === 'string') fields.set(name, bytesOf(value))
    else if (typeof value === 'number' || typeof value === 'boolean') fields.set(name, String(value))
    else if (isObject(value) && level < LEVELS)
      collect(value, { prefix: `${name}.`, level: level + 1, fields })
  }
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
