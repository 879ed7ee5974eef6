import {
  formatProblem,
  type ParsedPriceBook,
  parsePriceBook,
} from '../../src/flows/prices/parse-price-book.ts'

/** A valid book with one of each: every row of the tables changes a line of it. */
export const SAMPLE = `priceBook: acme
currency: EUR
operations: [GetStatus]
eventTypes:
  com.acme.render: { component: processing, operation: RenderPage }
items:
  Calls:
    component: request
    rates:
      default:
        operations: [ListReports, GetReport]
        unit: call
        per: 1000
        billedStatuses: [2xx, 4xx]
        prices:
          - { from: "2026-01-01T00:00:00Z", price: "0.50" }
          - { from: "2026-02-01T00:00:00Z", free: in winter }
          - { from: "2026-03-01T00:00:00+01:00", price: unknown }
        until: "2027-01-01T00:00:00Z"
  Rendering:
    component: processing
    rates:
      pages: { operations: [RenderPage], unit: page, per: 1, prices: [{ from: "2026-01-01T00:00:00Z", price: "2" }] }
      films: { operations: [RenderFilm], unit: millisecond, per: minute, prices: [{ from: "2026-01-01T00:00:00Z", price: "0.1", illustrative: true }] }
  Storage:
    component: storage
    rates:
      default: { unit: byte, per: GB-hour, prices: [{ from: "2026-01-01T00:00:00Z", price: "0.0001" }] }
`

/**
 * The sample with some lines replaced by others, indented as the first of them.
 * @param range `16`, or `15-18` with both ends
 * @param instead lines, with ` ⏎ ` between them
 */
export function sampleWith(range: string, instead: string): string {
  const [first = 1, last = first] = range.split('-').map(Number)
  const lines = SAMPLE.split('\n')
  const indentation = /^ */.exec(lines[first - 1] ?? '')?.[0] ?? ''
  lines.splice(first - 1, last - first + 1, ...instead.split(' ⏎ ').map((line) => indentation + line))
  return lines.join('\n')
}

/** `16:44 price_book/price_not_quoted` for each problem, in order. */
export function codesOf(parsed: ParsedPriceBook): readonly string[] {
  if (parsed.ok) return []
  return parsed.problems.map(({ place, code }) => `${place.line}:${place.column} ${code}`)
}

/** The problems as an editor or a terminal shows them. */
export function shownBy(text: string | Uint8Array): readonly string[] {
  const parsed = parsePriceBook(text, 'acme.yaml')
  return (parsed.ok ? parsed.remarks : parsed.problems).map(formatProblem)
}
