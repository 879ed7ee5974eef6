import { decodeUtf8 } from '../body/read-json.ts'
import { HttpProblem } from '../api/problem.ts'

/** The fields of a form, and those of its maps: `payload[value]=25` is the field `value` of the map `payload`. */
export interface Form {
  readonly fields: ReadonlyMap<string, string>
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/**
 * Read application/x-www-form-urlencoded with bracketed keys. Throws 400 for what is no such form: the platform's own reader
 * would replace what is not UTF-8. (`@fastify/formbody` would do so too, and take the body from the connection past our
 * limits.)
 */
export function readForm(body: Buffer): Form {
  const text = decodeUtf8(body) ?? refuse('is not UTF-8')
  requireEscapes(text)
  const fields = new Map<string, string>()
  const maps = new Map<string, Map<string, string>>()
  for (const [key, value] of new URLSearchParams(text)) {
    const [, name, inner] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(key) ?? []
    const target = name === undefined ? fields : (maps.get(name) ?? maps.set(name, new Map()).get(name)!)
    const field = inner ?? key
    if (field !== '' && target.has(field)) refuse('has a field twice')
    target.set(field, value)
  }
  return { fields, maps }
}

function requireEscapes(text: string): void {
  try {
    decodeURIComponent(text)
  } catch {
    refuse('has an escape that is not UTF-8')
  }
}

function refuse(what: string): never {
  throw new HttpProblem(
    'request/invalid_body',
    `The form ${what}: send it as application/x-www-form-urlencoded.`,
  )
}
