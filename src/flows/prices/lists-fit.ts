import { readPriceList } from '../../core/rate/price-list/read-price-list.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { listPriceLists } from '../../store/price-lists.ts'
import { run, type Sql } from '../../store/query.ts'
import type { ParsedPriceBook, PlacedProblem } from './parse-price-book.ts'

/** What in the price lists of the newest version would not hold with a new book: they share its next version. */
export async function refuseLists(
  sql: Sql,
  parsed: Extract<ParsedPriceBook, { readonly ok: true }>,
): Promise<readonly PlacedProblem[]> {
  const problems: PlacedProblem[] = []
  for (const { name, list } of await run(sql, listPriceLists, { version: null })) {
    const read = readPriceList(JSON.parse(list) as Json, parsed.book)
    if (read.ok) continue
    for (const problem of read.problems) {
      const message = `The price list ${name} does not fit this book: ${problem.message}`
      const fix = `keep in the book what the list needs, or publish the list without it first`
      problems.push({ ...problem, message, fix, place: parsed.placeOf(problem.path) })
    }
  }
  return problems
}
