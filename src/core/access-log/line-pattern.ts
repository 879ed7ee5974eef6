import { unescaped } from './byte-text.ts'
import { type LineRefusal, refuseLine } from './line-refusal.ts'
import type { LogFields } from './log-format.ts'

/** One part of a text format. */
export type Part =
  | { readonly literal: string }
  | {
      readonly field: string
      /**
       * `word`: no space and no quote. `text`: anything but an unescaped quote. `raw`: anything at all.
       * Else what it looks like, as a regular expression without groups.
       */
      readonly form: 'word' | 'text' | 'raw' | RegExp
    }

export type LinePattern =
  | { readonly ok: true; readonly read: (line: string) => LogFields | LineRefusal }
  | { readonly ok: false; readonly message: string; readonly fix: string }

/** Fields of one format. The longest that are used have some 40. */
export const FIELDS_MAX = 100

interface PatternOptions {
  /** Does a backslash escape what follows it? */
  readonly isEscaped: boolean
}

/**
 * Make a reader of lines from the parts of a format. At most one field may be of open end, that is: able to hold
 * what separates it from the next. A line that can be read in two ways is refused, not guessed: who writes a
 * header must not be able to write a status.
 */
export function linePattern(parts: readonly Part[], options: PatternOptions): LinePattern {
  const fields = parts.flatMap((part) => ('field' in part ? [part.field] : []))
  if (fields.length > FIELDS_MAX) return no(`has ${fields.length} fields`, `write at most ${FIELDS_MAX}`)
  for (const [at, part] of parts.entries()) {
    const next = parts[at + 1]
    if (!('field' in part) || !next || !('field' in next)) continue
    const fix = 'log them with a space or a quote between them'
    return no(`has nothing between ${part.field} and ${next.field}`, fix)
  }
  const sources = formsOf(parts, options)
  const openEnded = sources.filter(({ isOpen }) => isOpen)
  if (openEnded.length > 1) {
    const [first, second] = openEnded.map(({ field }) => field)
    return no(`cannot tell where ${first} and ${second} end`, 'log each of them in quotes of its own')
  }
  const shortest = new RegExp(`^${sources.map(({ lazy }) => lazy).join('')}$`)
  const longest =
    openEnded.length > 0 ? new RegExp(`^${sources.map(({ greedy }) => greedy).join('')}$`) : undefined
  const read = (line: string) => {
    const match = shortest.exec(line)
    if (!match) return refuseLine('log/unreadable', whereItDiffers(sources, line))
    if (longest && !isSame(match, longest.exec(line)!)) {
      const detail = `The line can be read in two ways, because of ${openEnded[0]!.field}: log that field in quotes.`
      return refuseLine('log/two_readings', detail)
    }
    const values = new Map<string, string>()
    for (let at = 0; at < fields.length; at++) {
      const value = match[at + 1]!
      if (!values.has(fields[at]!)) values.set(fields[at]!, options.isEscaped ? unescaped(value) : value)
    }
    return values
  }
  return { ok: true, read }
}

interface Form {
  /** Undefined for what stands between fields. */
  readonly field: string | undefined
  readonly isOpen: boolean
  /** The same language twice: one takes as little as it can, the other as much. */
  readonly lazy: string
  readonly greedy: string
}

function formsOf(parts: readonly Part[], { isEscaped }: PatternOptions): readonly Form[] {
  let before = ''
  return parts.map((part, at) => {
    if ('literal' in part) {
      before += part.literal
      const source = escaped(part.literal)
      return { field: undefined, isOpen: false, lazy: source, greedy: source }
    }
    const next = parts[at + 1]
    const end = next && 'literal' in next ? next.literal[0]! : ''
    if (part.form instanceof RegExp) return closed(part.field, part.form.source)
    if (part.form === 'raw') return open(part.field, '.')
    // A colon ends no word: addresses have colons of their own, and what follows one is a number.
    if (part.form === 'word') return closed(part.field, `[^\\s"${end === ':' ? '' : escaped(end)}]*`)
    if (before.endsWith('"') && end === '"') {
      return closed(part.field, isEscaped ? String.raw`[^"\\]*(?:\\.[^"\\]*)*` : '[^"]*')
    }
    return open(part.field, isEscaped ? String.raw`(?:[^"\\]|\\.)` : '[^"]')
  })
}

function closed(field: string, source: string): Form {
  return { field, isOpen: false, lazy: `(${source})`, greedy: `(${source})` }
}

function open(field: string, one: string): Form {
  return { field, isOpen: true, lazy: `(${one}*?)`, greedy: `(${one}*)` }
}

function escaped(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}

function isSame(a: RegExpExecArray, b: RegExpExecArray): boolean {
  return a.every((value, at) => value === b[at])
}

/** The first field up to which the line is not as the format says. For people: lines that differ are rare. */
function whereItDiffers(forms: readonly Form[], line: string): string {
  for (let count = forms.length - 1; count > 0; count--) {
    const start = new RegExp(
      `^${forms
        .slice(0, count)
        .map(({ lazy }) => lazy)
        .join('')}`,
    ).exec(line)
    if (!start) continue
    const rest = forms.slice(count).find(({ field }) => field !== undefined)
    const place = rest ? `from ${rest.field} on, near column ${start[0].length + 1}` : 'at its end'
    return `The line is not as the format says, ${place}: check that the format is that of this file.`
  }
  return 'The line does not begin as the format says: check that the format is that of this file.'
}

function no(what: string, fix: string): LinePattern {
  return { ok: false, message: `The format ${what}.`, fix }
}
