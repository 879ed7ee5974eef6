import type { LogFormat, Roles } from './log-format.ts'
import { linePattern, type Part } from './line-pattern.ts'

/** A format as it was compiled, or what is wrong with the text that describes it. */
export type CompiledFormat =
  | { readonly ok: true; readonly format: LogFormat }
  | { readonly ok: false; readonly message: string; readonly fix: string }

/** nginx's own, and the one of Apache: the same fields, and escapes that are read alike. */
export const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

const TIME_LOCAL = /\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}/
/** Several servers were asked: `10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80`. */
const UPSTREAM = /[^\s"]+(?:(?:, | : )[^\s"]+)*/
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['time_local', TIME_LOCAL],
  ['time_iso8601', /[0-9T:+Z-]+/],
  ['msec', /\d+\.\d{3}/],
  // A client that is gone before a status was set leaves 000.
  ['status', /\d{3}/],
])
/** What a client writes, or what nginx decodes: it may hold spaces. */
const TEXTS = /^(?:remote_user|request|uri|document_uri|args|query_string|request_filename|request_body)$/
const TEXT_PREFIXES = /^(?:http|sent_http|upstream_http|upstream_cookie|cookie|arg|ssl_client|jwt)_/

/** @param text of nginx's `log_format`: what stands in its quotes, or the whole directive */
export function nginxFormat(text: string, name: 'nginx' | 'combined' = 'nginx'): CompiledFormat {
  const directive = readDirective(text.trim())
  if (typeof directive === 'string') return { ok: false, message: directive, fix: DIRECTIVE_FIX }
  if (directive.escape === 'none') {
    const message = 'The format has escape=none, and then a client can write whole lines.'
    return { ok: false, message, fix: 'log with escape=json, or without escape' }
  }
  const parts = partsOf(directive.text)
  const pattern = linePattern(parts, { isEscaped: true })
  if (!pattern.ok) return pattern
  const fields = parts.flatMap((part) => ('field' in part ? [part.field] : []))
  if (fields.length === 0) {
    return { ok: false, message: 'The format has no variable.', fix: 'write the log_format of nginx.conf' }
  }
  return {
    ok: true,
    format: { name, encoding: 'latin1', fields, roles: rolesOf(fields), headerField, read: pattern.read },
  }
}

function headerField(header: string): string {
  return `http_${header.toLowerCase().replaceAll('-', '_')}`
}

function rolesOf(fields: readonly string[]): Roles {
  const first = (...names: readonly string[]) => names.find((name) => fields.includes(name))
  const [time, path] = [first('msec', 'time_iso8601', 'time_local'), first('request_uri', 'uri')]
  return {
    ...(fields.includes('request') ? { request: 'request' } : {}),
    ...(fields.includes('request_method') ? { method: 'request_method' } : {}),
    ...(path === undefined ? {} : { path }),
    ...(fields.includes('status') ? { status: 'status' } : {}),
    ...(time === undefined ? {} : { time }),
    ...(fields.includes('request_id') ? { id: 'request_id' } : {}),
  }
}

const DIRECTIVE_FIX = "write it as in nginx.conf: log_format name 'text';"
const QUOTED = /^\s*(?:'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)")/

/** `log_format main escape=json '…' '…';`, or the text alone. */
function readDirective(text: string): { readonly text: string; readonly escape: string } | string {
  const head = /^log_format\s+[^\s'"]+(?:\s+escape=(default|json|none))?(?=\s)/.exec(text)
  if (!head) {
    return text.startsWith('log_format') ? 'This is no log_format.' : { text, escape: 'default' }
  }
  let [rest, joined] = [text.slice(head[0].length), '']
  for (let part = QUOTED.exec(rest); part; part = QUOTED.exec(rest)) {
    joined += unquoted(part[1] ?? part[2]!)
    rest = rest.slice(part[0].length)
  }
  if (!/^\s*;?$/.test(rest) || joined === '') return 'This log_format has something outside of its quotes.'
  return { text: joined, escape: head[1] ?? 'default' }
}

/** As nginx reads a quoted text of its configuration. */
function unquoted(text: string): string {
  const signs: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' }
  return text.replaceAll(/\\(["'\\trn])/g, (_, sign: string) => signs[sign] ?? sign)
}

function partsOf(text: string): readonly Part[] {
  const parts: Part[] = []
  let from = 0
  for (const match of text.matchAll(/\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))/gi)) {
    if (match.index > from) parts.push({ literal: text.slice(from, match.index) })
    const field = (match[1] ?? match[2]!).toLowerCase()
    parts.push({ field, form: formOf(field) })
    from = match.index + match[0].length
  }
  if (from < text.length) parts.push({ literal: text.slice(from) })
  return parts
}

function formOf(field: string): Extract<Part, { readonly field: string }>['form'] {
  const known = FORMS.get(field)
  if (known) return known
  if (TEXTS.test(field) || TEXT_PREFIXES.test(field)) return 'text'
  return field.startsWith('upstream_') ? UPSTREAM : 'word'
}
