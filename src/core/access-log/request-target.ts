import { type ByteText, percentDecoded } from './byte-text.ts'

/** What a client asked for. */
export interface RequestTarget {
  readonly method: string
  /** Of the path, decoded. One that is not UTF-8 has U+FFFD in it. */
  readonly segments: readonly string[]
  /** What follows the ?, as it came. */
  readonly query: ByteText
}

/** `GET /v1/photos?id=1 HTTP/1.1`; the protocol may be missing (HTTP/0.9). */
const REQUEST_LINE = /^([A-Za-z]+) (\S.*?)(?: HTTP\/\d(?:\.\d)?| -)?$/s
const ORIGIN = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/

/** @returns undefined when this is no line that a client of HTTP sends */
export function readRequestLine(line: ByteText): RequestTarget | undefined {
  const match = REQUEST_LINE.exec(line)
  return match ? readTarget(match[1]!, match[2]!) : undefined
}

/**
 * Paths are compared as servers do it: decoded, without `.` and `..`, and with one slash for several, so that
 * nobody is served under one path and billed under another. A slash at the end does not matter.
 * @param target a path, or a whole URL, with its query
 */
export function readTarget(method: string, target: ByteText): RequestTarget | undefined {
  if (!/^[A-Za-z]+$/.test(method)) return undefined
  const local = target.replace(ORIGIN, '')
  if (!local.startsWith('/') && !(local !== target && /^(?:$|[?#])/.test(local))) return undefined
  const [beforeFragment = ''] = local.split('#', 1)
  const question = beforeFragment.indexOf('?')
  const path = question === -1 ? beforeFragment : beforeFragment.slice(0, question)
  const query = question === -1 ? '' : beforeFragment.slice(question + 1)
  const segments: string[] = []
  for (const part of path.split('/')) {
    const segment = percentDecoded(part) ?? '\ufffd'
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return { method: method.toUpperCase(), segments, query }
}

/** The distinct values of a query parameter, decoded. */
export function queryValues(query: ByteText, name: string): readonly string[] {
  const values = new Set<string>()
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const key = equals === -1 ? pair : pair.slice(0, equals)
    if (decoded(key) !== name) continue
    values.add(decoded(equals === -1 ? '' : pair.slice(equals + 1)) ?? '\ufffd')
  }
  return [...values]
}

function decoded(form: ByteText): string | undefined {
  return percentDecoded(form.replaceAll('+', ' '))
}
