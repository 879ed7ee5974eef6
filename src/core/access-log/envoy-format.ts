import type { CompiledFormat } from './nginx-format.ts'
import type { Roles } from './log-format.ts'
import { linePattern, type Part } from './line-pattern.ts'

/** What Envoy writes if it is told nothing else. */
export const ENVOY_DEFAULT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% ' +
  '%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ' +
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'

/** The names that the documentation's JSON example and Istio's default have. */
export const ENVOY_JSON_ROLES: Roles = {
  method: 'method',
  path: 'path',
  status: 'response_code',
  time: 'start_time',
  durationMs: 'duration',
  id: 'request_id',
}

const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['START_TIME', /[0-9T:.+Z-]+/],
  ['RESPONSE_CODE', /\d+/],
  ['DURATION', /\d+|-/],
  ['REQ(:METHOD)', /[A-Za-z-]+/],
])
/** Of these no quote or space can come from a client. */
const WORDS = /^(?:REQ\((?:X-REQUEST-ID|:AUTHORITY|[^()]*:PATH)\)|UPSTREAM_HOST)$/
const OPERATOR = /%([A-Z][A-Z0-9_]*(?:\([^()]*\))?)(?::\d+)?%/g

/**
 * Envoy's text format. It escapes nothing, so one field may hold quotes (the user agent): all others end at
 * the next one, and a line of which that is not true is refused. Its JSON format has no such trouble.
 */
export function envoyFormat(text: string): CompiledFormat {
  const parts = partsOf(text.trim().replace(/\\n$/, ''))
  const pattern = linePattern(parts, { isEscaped: false })
  if (!pattern.ok) return pattern
  const fields = parts.flatMap((part) => ('field' in part ? [part.field] : []))
  if (fields.length === 0) {
    return { ok: false, message: 'The format has no %OPERATOR%.', fix: "write Envoy's text_format" }
  }
  return {
    ok: true,
    format: {
      name: 'envoy',
      encoding: 'latin1',
      fields,
      roles: rolesOf(fields),
      headerField,
      read: pattern.read,
    },
  }
}

function headerField(header: string): string {
  return `REQ(${header.toUpperCase()})`
}

function rolesOf(fields: readonly string[]): Roles {
  const path = fields.find((field) => /^REQ\([^()]*:PATH\)$/.test(field))
  const role = (name: keyof Roles, field: string) => (fields.includes(field) ? { [name]: field } : {})
  return {
    ...role('method', 'REQ(:METHOD)'),
    ...(path === undefined ? {} : { path }),
    ...role('status', 'RESPONSE_CODE'),
    ...role('time', 'START_TIME'),
    ...role('durationMs', 'DURATION'),
    ...role('id', 'REQ(X-REQUEST-ID)'),
  }
}

function partsOf(text: string): readonly Part[] {
  const parts: Part[] = []
  let from = 0
  for (const match of text.matchAll(OPERATOR)) {
    if (match.index > from) parts.push({ literal: text.slice(from, match.index) })
    const field = match[1]!
    parts.push({ field, form: formOf(field, text[match.index - 1] === '"') })
    from = match.index + match[0].length
  }
  if (from < text.length) parts.push({ literal: text.slice(from) })
  return parts
}

function formOf(field: string, isQuoted: boolean): Extract<Part, { readonly field: string }>['form'] {
  if (field === 'REQ(USER-AGENT)') return 'raw'
  const known = FORMS.get(field)
  if (known) return known
  return WORDS.test(field) || !isQuoted ? 'word' : 'text'
}
