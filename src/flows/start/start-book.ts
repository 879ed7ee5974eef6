import { countOf } from '../../core/present/readable-text.ts'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIllustrative } from '../../core/rate/price-book/price-book.ts'
import { formatPath } from '../../core/rate/price-book/parse/problem.ts'
import { oneLine } from '../../store/embedded/refusal.ts'
import { parseAnyVersion, type ParsedPriceBook, type PlacedProblem } from '../prices/parse-price-book.ts'

export type StartBookCode =
  'start/price_book_unreadable' | 'start/price_book_invalid' | 'start/price_book_illustrative'

/** The price book of a first start. */
export interface StartBook {
  readonly ok: true
  readonly path: string
  readonly source: string
  readonly parsed: Extract<ParsedPriceBook, { readonly ok: true }>
  /** SHA-256 of the canonical form. */
  readonly digest: Buffer
}

export interface StartBookRefused {
  readonly ok: false
  readonly code: StartBookCode
  readonly detail: string
}

/**
 * The price book of FARTHING_PRICE_BOOK. It needs no database: ask before one is made. Whether its types are covered is
 * asked later: it is only a warning where a version is published already.
 */
export function readGivenBook(path: string): StartBook | StartBookRefused {
  const read = readStartBook(path)
  if (!read.ok || !isIllustrative(read.parsed.book)) return read
  const remark = read.parsed.remarks.find(({ code }) => code === 'price_book/illustrative_prices')
  const { line, column } = remark!.place
  const where = `${path}:${line}:${column}: ${formatPath(remark!.path)}`
  return refuse(
    'start/price_book_illustrative',
    `${where}: Prices marked illustrative are for demos only: replace them and remove the mark.`,
  )
}

export function readStartBook(path: string): StartBook | StartBookRefused {
  const source = readSource(path)
  if ('ok' in source) return source
  const parsed = parseAnyVersion(source, path)
  if (!parsed.ok) return refuseInvalid(path, parsed.problems)
  const digest = createHash('sha256').update(parsed.canonical).digest()
  return { ok: true, path, source: source.toString('utf8'), parsed, digest }
}

/** A first start takes no book of whose types every event would be held. */
export function refuseUncovered({ path, parsed }: StartBook): StartBookRefused | undefined {
  return parsed.uncovered.length === 0 ? undefined : refuseInvalid(path, parsed.uncovered)
}

function refuseInvalid(path: string, problems: readonly PlacedProblem[]): StartBookRefused {
  const [first] = problems
  const { line, column } = first!.place
  const more = problems.length > 1 ? ` (and ${countOf(problems.length - 1, 'more problem')})` : ''
  const where = `${path}:${line}:${column}: ${formatPath(first!.path)}`
  return refuse('start/price_book_invalid', `${where}: ${first!.message} ${first!.fix}${more}.`)
}

function readSource(path: string): Buffer | StartBookRefused {
  try {
    return readFileSync(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const advice = 'set FARTHING_PRICE_BOOK to a file that can be read, or unset it'
    return refuse(
      'start/price_book_unreadable',
      `The price book ${path} cannot be read (${reason}): ${advice}.`,
    )
  }
}

function refuse(code: StartBookCode, detail: string): StartBookRefused {
  return { ok: false, code, detail: oneLine(detail) }
}
