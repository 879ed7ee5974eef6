import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type {
  Path,
  PriceBookProblem,
  PriceBookProblemCode,
  PriceBookRemark,
  PriceBookRemarkCode,
} from '../../core/rate/price-book/parse/problem.ts'
import { missingQuantities } from '../../core/rate/price-book/parse/event-type-units.ts'
import { readPriceBook } from '../../core/rate/price-book/parse/read-price-book.ts'
import type { PriceList } from '../../core/rate/price-list/price-list.ts'
import { readPriceList } from '../../core/rate/price-list/read-price-list.ts'
import { canonicalJson, type Json } from '../../core/text/canonical-json.ts'
import { byteLength } from '../../core/text/well-formed.ts'
import { byPlace, decodeUtf8, locator, type TextPlace } from './parse-price-book-place.ts'
import { offsetOf, type PlainYaml, readPlainYaml } from './parse-price-book-yaml.ts'

export type PlacedProblem = PriceBookProblem & { readonly place: TextPlace }
export type PlacedRemark = PriceBookRemark & { readonly place: TextPlace }

export type ParsedPriceBook =
  | {
      readonly ok: true
      readonly book: PriceBook
      readonly remarks: readonly PlacedRemark[]
      /** Types of which every event would be held: a version with such is not published. */
      readonly uncovered: readonly PlacedProblem[]
      /** The RFC 8785 form of the book's data: what is stored and digested. It parses to the same book. */
      readonly canonical: string
      /** Where a path of the data stands in the text; of one that is not there, what should have it. */
      placeOf(path: Path): TextPlace
    }
  | { readonly ok: false; readonly problems: readonly PlacedProblem[] }

/** 1 MB. A book of 1,000 rates has about 300 kB. */
export const TEXT_BYTES_MAX = 1_000_000

/** Problems with a key rather than with what stands under it. */
const ABOUT_KEYS: ReadonlySet<string> = new Set<PriceBookProblemCode | PriceBookRemarkCode>([
  'price_book/unknown_key',
  'price_book/not_a_name',
  'price_book/not_allowed_here',
  'price_book/reserved_event_type',
  'price_book/missing_quantity',
  'price_book/unused_quantity',
  'price_book/quantity_missing_later',
  'price_list/unknown_rate',
])

/**
 * Read a price book from YAML or JSON (ARCHITECTURE.md): all problems, each with its line and column.
 * Problems of the text are reported alone: what could not be read cannot be checked.
 * @param file the name that places repeat; nothing is opened
 */
export function parsePriceBook(source: string | Uint8Array, file: string): ParsedPriceBook {
  const parsed = parseAnyVersion(source, file)
  if (!parsed.ok || parsed.uncovered.length === 0) return parsed
  return { ok: false, problems: parsed.uncovered }
}

/**
 * The same, for a book that is published already: an earlier version of Farthing may have taken one with types that no
 * rate covers, and its events are held.
 */
export function parseAnyVersion(source: string | Uint8Array, file: string): ParsedPriceBook {
  const parsed = parsePlaced(source, file, (data) => {
    const read = readPriceBook(data)
    if (!read.ok) return read
    return { ...read, value: read.book, uncovered: missingQuantities(read.book) }
  })
  if (!parsed.ok) return parsed
  const { value: book, ...rest } = parsed
  return { ...rest, book }
}

export type ParsedPriceList = Placed<PriceList>

/** The same for a price list. @param book of the version that it is to be part of */
export function parsePriceList(source: string | Uint8Array, file: string, book: PriceBook): ParsedPriceList {
  return parsePlaced(source, file, (data) => {
    const read = readPriceList(data, book)
    return read.ok ? { ok: true, value: read.list, remarks: [], uncovered: [] } : read
  })
}

type Placed<Value> =
  | {
      readonly ok: true
      readonly value: Value
      readonly remarks: readonly PlacedRemark[]
      readonly uncovered: readonly PlacedProblem[]
      readonly canonical: string
      placeOf(path: Path): TextPlace
    }
  | { readonly ok: false; readonly problems: readonly PlacedProblem[] }

type Read<Value> =
  | {
      readonly ok: true
      readonly value: Value
      readonly remarks: readonly PriceBookRemark[]
      readonly uncovered: readonly PriceBookProblem[]
    }
  | { readonly ok: false; readonly problems: readonly PriceBookProblem[] }

function parsePlaced<Value>(
  source: string | Uint8Array,
  file: string,
  readData: (data: Json) => Read<Value>,
): Placed<Value> {
  const size = typeof source === 'string' ? byteLength(source) : source.byteLength
  if (size > TEXT_BYTES_MAX) return tooLarge(size, file)
  const decoded = typeof source === 'string' ? source.replace(/^\ufeff/, '') : decodeUtf8(source)
  if (typeof decoded !== 'string') return notUtf8(decoded.before, file)
  const locate = locator(decoded, file)
  const yaml = readPlainYaml(decoded)
  if (!yaml.ok) return { ok: false, problems: placeYamlProblems(yaml.problems, locate) }
  const place = <Finding extends PriceBookProblem | PriceBookRemark>(finding: Finding) => {
    const part = ABOUT_KEYS.has(finding.code) ? 'key' : 'value'
    return { ...finding, place: locate(offsetOf(yaml.root, finding.path, part)) }
  }
  const read = readData(yaml.data)
  if (!read.ok) return { ok: false, problems: read.problems.map(place).toSorted(byPlace) }
  const remarks = read.remarks.map(place).toSorted(byPlace)
  const placeOf = (path: Path) => locate(offsetOf(yaml.root, path, 'value'))
  const uncovered = read.uncovered.map(place).toSorted(byPlace)
  return { ok: true, value: read.value, remarks, uncovered, canonical: canonicalJson(yaml.data), placeOf }
}

/** One line for a terminal or an editor: `imm.yaml:12:30: message — fix`. */
export function formatProblem({
  place,
  message,
  fix,
}: Pick<PlacedProblem, 'place' | 'message' | 'fix'>): string {
  return `${place.file}:${place.line}:${place.column}: ${message.replace(/\.$/, '')} — ${fix}`
}

function placeYamlProblems(
  problems: Extract<PlainYaml, { ok: false }>['problems'],
  locate: (offset: number) => TextPlace,
): readonly PlacedProblem[] {
  return problems
    .map(({ offset, ...problem }) => ({ path: [], ...problem, place: locate(offset) }))
    .toSorted(byPlace)
}

type Refused = Extract<ParsedPriceBook, { readonly ok: false }>

function tooLarge(size: number, file: string): Refused {
  const place = { file, line: 1, column: 1 }
  const message = `The text has ${countOf(size, 'byte')}.`
  const fix = `write at most ${readableNumber(String(TEXT_BYTES_MAX))}`
  return { ok: false, problems: [{ path: [], code: 'price_book/too_large', message, fix, place }] }
}

function notUtf8(before: string, file: string): Refused {
  const place = locator(before, file)(before.length)
  const message = 'The text is not UTF-8 from here on.'
  const fix = 'save it as UTF-8'
  return { ok: false, problems: [{ path: [], code: 'price_book/not_utf8', message, fix, place }] }
}
