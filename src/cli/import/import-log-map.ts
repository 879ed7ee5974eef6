import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import { readFileSync } from 'node:fs'
import type { LineRules } from '../../core/access-log/event-of-line.ts'
import type { LogFormatName } from '../../core/access-log/log-format.ts'
import { readLogMap } from '../../core/access-log/read-log-map.ts'
import { byPlace, decodeUtf8, locator, type TextPlace } from '../../flows/prices/parse-price-book-place.ts'
import { offsetOf, readPlainYaml } from '../../flows/prices/parse-price-book-yaml.ts'
import { formatProblem } from '../../flows/prices/parse-price-book.ts'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'

/** 1 MB. A mapping of 5,000 templates has about 400 kB. */
export const MAP_BYTES_MAX = 1_000_000
/** Problems that are printed: one mistake made everywhere needs no longer list. */
export const MAP_PROBLEMS_MAX = 20

interface Problem {
  readonly place: TextPlace
  readonly message: string
  readonly fix: string
}

/** The mapping, and its text: what was imported with another one is imported again. */
export interface LogMapFile {
  readonly rules: LineRules
  readonly source: Uint8Array
}

/**
 * Read the mapping of an access log (docs/access-logs.md).
 * @param format from the command line
 * @throws CommandFailed with every problem, each with file, line, column and fix
 */
export function readLogMapFile(path: string, format: LogFormatName | undefined): LogMapFile {
  const source = readBytes(path)
  const read = parseLogMap(source, path, format)
  if (read.ok) return { rules: read.rules, source }
  const shown = read.problems.slice(0, MAP_PROBLEMS_MAX).map(formatProblem)
  const more = read.problems.length - shown.length
  const rest = more > 0 ? [`… and ${more} more`] : []
  throw new CommandFailed(['The mapping cannot be used:', ...shown, ...rest].join('\n'))
}

type Parsed =
  | { readonly ok: true; readonly rules: LineRules }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export function parseLogMap(source: Uint8Array, file: string, format: LogFormatName | undefined): Parsed {
  const start = { file, line: 1, column: 1 }
  if (source.length > MAP_BYTES_MAX) {
    return failed(
      start,
      `The text has ${countOf(source.length, 'byte')}.`,
      `write at most ${readableNumber(String(MAP_BYTES_MAX))}`,
    )
  }
  const text = decodeUtf8(source)
  if (typeof text !== 'string') {
    const place = locator(text.before, file)(text.before.length)
    return failed(place, 'The text is not UTF-8 from here on.', 'save it as UTF-8')
  }
  const locate = locator(text, file)
  const yaml = readPlainYaml(text)
  if (!yaml.ok) {
    const problems = yaml.problems.map(({ offset, code, message, fix }) => {
      const isSize = code === 'price_book/too_deep' || code === 'price_book/too_large'
      return { place: locate(offset), message, fix: isSize ? 'a mapping has 4 levels: write less' : fix }
    })
    return { ok: false, problems: problems.toSorted(byPlace) }
  }
  const read = readLogMap(yaml.data, format)
  if (read.ok) return read
  const problems = read.problems.map(({ path, part, message, fix }) => {
    return { place: locate(offsetOf(yaml.root, path, part)), message, fix }
  })
  return { ok: false, problems: problems.toSorted(byPlace) }
}

function failed(place: TextPlace, message: string, fix: string): Parsed {
  return { ok: false, problems: [{ place, message, fix }] }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandFailed(`The mapping ${path} cannot be read (${systemReason(error)}): check the name.`)
  }
}
