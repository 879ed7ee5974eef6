import type { Json } from '../text/canonical-json.ts'
import { isExactJson } from '../text/json/exact-json.ts'
import { faultsIn } from '../text/json/json-faults.ts'
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
  return new JsonFields(value, line)
}

/** What each name stands for. A number that a double cannot hold is kept as it was logged. */
class JsonFields extends Map<string, string> {
  readonly repeated = new Set<string>()
  /** Such numbers, by their path with the places in lists. */
  readonly #numbers = new Map<string, string>()

  constructor(value: { readonly [key: string]: Json }, line: string) {
    super()
    if (!isExactJson(value, asciiOf(line))) this.#readFaults(line)
    this.#collect(value, [], 1)
  }

  #readFaults(line: string): void {
    for (const { kind, path, text } of faultsIn(line)) {
      if (kind === 'repeated_key') this.repeated.add(nameOf(path))
      else this.#numbers.set(JSON.stringify(path), text)
    }
  }

  #collect(
    object: { readonly [key: string]: Json },
    path: readonly (string | number)[],
    level: number,
  ): void {
    for (const [key, member] of Object.entries(object)) {
      // Caddy and others write a header as a list of its values.
      const isAlone = Array.isArray(member) && member.length === 1
      const [value, place] = isAlone ? [member[0] as Json, [...path, key, 0]] : [member, [...path, key]]
      const name = nameOf(place)
      if (this.has(name)) this.repeated.add(name)
      if (typeof value === 'string') this.set(name, bytesOf(value))
      else if (typeof value === 'number') this.set(name, this.#textOf(value, place))
      else if (typeof value === 'boolean') this.set(name, String(value))
      else if (isObject(value) && level < LEVELS) this.#collect(value, place, level + 1)
    }
  }

  #textOf(value: number, path: readonly (string | number)[]): string {
    const logged = this.#numbers.size === 0 ? undefined : this.#numbers.get(JSON.stringify(path))
    return logged ?? String(value)
  }
}

/** Members of inner objects are named with a point between; the one element of a list has the name of the list. */
function nameOf(path: readonly (string | number)[]): string {
  return path.filter((step) => typeof step === 'string').join('.')
}

/** Bytes that say as much of numbers and keys as those of UTF-8. */
function asciiOf(line: string): Uint8Array {
  const bytes = new Uint8Array(line.length)
  for (let at = 0; at < line.length; at++) bytes[at] = Math.min(line.charCodeAt(at), 0x7f)
  return bytes
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
