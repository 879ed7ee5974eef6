/** What Express 4 keeps of the paths of a layer: one regular expression, and the names of its parameters. */
export interface Express4Path {
  readonly regexp: RegExp & { readonly fast_slash?: boolean }
  readonly keys?: readonly { readonly name: string | number }[]
}

/** One of the paths of a layer: as it was written, and what it matches. */
export interface WrittenPath {
  readonly path: string | RegExp
  readonly regexp: RegExp
}

/** What path-to-regexp 0.1 ends a path with: one of a router, one of a route, and one of a route that is strict. */
const ENDS = ['/?(?=/|$)', '/?$', '$']
/** What it makes of `:name`, of the `*` after a name, and of a `*` alone. */
const ANY_PART = /^\[\^\/(?:\\\.)?\]\+\?$|^\(\?:\(\?!\/\|/
const STAR = /\(\(\?:\[\/(?:\\\.)?\]\.\+\?\)\?\)$/
const REST = '(.*)'

/**
 * The paths behind a layer of Express 4, as they were written: `^\/users(?:\/([^/]+?))\/?(?=\/|$)` was `/users/:user`.
 * It keeps them nowhere else. A regular expression that is none of its own was written as one.
 */
export function writtenPaths({ regexp, keys = [] }: Express4Path): readonly WrittenPath[] {
  const source = regexp.source.replaceAll('\\/', '/')
  const end = ENDS.find((one) => source.endsWith(one))
  if (end === undefined || !source.startsWith('^')) return [{ path: regexp, regexp }]
  const names = keys.flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
  // Several paths are joined as alternatives, each from its ^ to its end.
  return source
    .slice(1, -end.length)
    .split(`${end}|^`)
    .map((part) => ({ path: pathOf(part, names) || '/', regexp: new RegExp(`^${part}${end}`, regexp.flags) }))
}

/** @param names of the parameters that come next; those of this part are taken off */
function pathOf(part: string, names: string[]): string {
  let path = ''
  for (let at = 0; at < part.length;) {
    if (part.startsWith(REST, at)) {
      path += '*'
      at += REST.length
    } else if (part.startsWith('(?:', at)) {
      const end = closing(part, at)
      path += groupOf(part.slice(at + 3, end), names)
      at = end + 1
    } else if (part.startsWith('\\.', at)) {
      path += '.'
      at += 2
    } else path += part[at++]
  }
  return path
}

/** What was written for `(?:…)`: a parameter with the sign before it, or alternatives. */
function groupOf(inner: string, names: string[]): string {
  const [, sign, rest] = /^(\/|\\\.|)(\(.*)$/.exec(inner) ?? []
  if (rest === undefined || names.length === 0) return `(${inner})`
  const star = STAR.test(rest) ? '*' : ''
  const capture = rest.replace(STAR, '').slice(1, -1)
  const form = ANY_PART.test(capture) ? '' : `(${capture})`
  return `${sign === '\\.' ? '.' : sign}:${names.shift()}${form}${star}`
}

/** Where a group ends. Escapes and classes may hold parentheses that count for nothing. */
function closing(text: string, start: number): number {
  let depth = 0
  let isClass = false
  for (let at = start; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (isClass) isClass = sign !== ']'
    else if (sign === '[') isClass = true
    else if (sign === '(') depth++
    else if (sign === ')' && --depth === 0) return at
  }
  return text.length
}
