import { expect, test } from 'vitest'
import { parsePriceBook } from '../../src/flows/prices/parse-price-book.ts'
import { table } from '../table.ts'
import { codesOf, SAMPLE, sampleWith } from './price-book-sample.ts'

test('the sample that the table changes is a valid book', () => {
  expect(codesOf(parsePriceBook(SAMPLE, 'acme.yaml'))).toEqual([])
})

// One line of the sample is replaced; the book is refused, at that place, with that code, and with no other.
for (const { lines, instead, at, code } of table<'lines' | 'instead' | 'at' | 'code'>(String.raw`
  lines| instead                                                    | at    | code
  1    | priceBook: my book                                         | 1:1   | not_a_name
  1    | priceBook:                                                 | 1:1   | not_a_name
  1    | priceBook: 2026                                            | 1:1   | not_a_name
  1    | pricebook: acme                                            | 1:1   | unknown_key
  1    | # no name                                                  | 2:1   | missing_key
  2    | currency: eur                                              | 2:11  | unknown_currency
  2    | currency: BGN                                              | 2:11  | unknown_currency
  2    | currency: XAU                                              | 2:11  | unknown_currency
  2    | currency: [EUR]                                            | 2:11  | unknown_currency
  3    | headings: API calls                                        | 3:11  | wrong_type
  3    | headings: {}                                               | 3:11  | empty
  3    | headings: { requests: API calls }                          | 3:13  | unknown_key
  3    | headings: { request: 7 }                                   | 3:13  | not_a_name
  3    | headings: { request: }                                     | 3:13  | not_a_name
  3    | headings: { request: "" }                                  | 3:13  | not_a_name
  3    | headings: { request: "Calls " }                            | 3:13  | not_a_name
  3    | headings: { storage: "a\u202eb" }                          | 3:13  | not_a_name
  3    | headings: { request: Fees, storage: Fees }                 | 3:37  | duplicate
  3    | operations: GetStatus                                      | 3:13  | wrong_type
  3    | operations: { GetStatus: free }                            | 3:13  | wrong_type
  3    | operations: []                                             | 3:13  | empty
  3    | operations: [GetStatus, GetStatus]                         | 3:25  | duplicate
  3    | operations: ["Get\u200bStatus"]                            | 3:14  | not_a_name
  3    | operations: ["GET /status "]                               | 3:14  | not_a_name
  3    | operations: [""]                                           | 3:14  | not_a_name
  3    | operations: [200]                                          | 3:14  | not_a_name
  3    | operation: [GetStatus]                                     | 3:1   | unknown_key
  3    | __proto__: { polluted: true }                              | 3:1   | unknown_key
  3    | constructor: { prototype: { polluted: true } }             | 3:1   | unknown_key
  5    | com.acme.render: { component: procesing }                  | 5:33  | unknown_component
  5    | com.acme.render: { component: null }                       | 5:33  | unknown_component
  5    | com.acme.render: { operation: RenderPage }                 | 5:3   | missing_key
  5    | com.acme.render: { component: processing, operation: 7 }   | 5:45  | not_a_name
  5    | com.acme.render: { component: processing, operation: RenderPag } | 5:56 | unknown_operation
  5    | com.acme.level: { component: storage, operation: RenderPage }    | 5:41 | not_allowed_here
  5    | "com.acme\trender": { component: processing }              | 5:3   | not_a_name
  5    | " com.acme.render": { component: processing }              | 5:3   | not_a_name
  5    | farthing.request: { component: processing }                | 5:3   | reserved_event_type
  5    | farthing.refund: { component: processing }                 | 5:3   | reserved_event_type
  5    | com.acme.render: processing                                | 5:20  | wrong_type
  7    | API calls:                                                 | 7:3   | not_a_name
  8    | component: requests                                        | 8:16  | unknown_component
  8    | # no component                                             | 7:3   | missing_key
  8    | component: request ⏎ description: all calls                | 9:5   | unknown_key
  10   | per call:                                                  | 10:7  | not_a_name
  11   | operations: [ListReports, ListReports]                     | 11:35 | duplicate
  11   | operations: []                                             | 11:21 | empty
  11   | # no operations                                            | 10:7  | missing_key
  12   | unit: page                                                 | 12:15 | wrong_unit
  12   | unit: 1000 calls                                           | 12:15 | wrong_unit
  12   | # no unit                                                  | 10:7  | missing_key
  13   | per: 0                                                     | 13:14 | wrong_per
  13   | per: -1000                                                 | 13:14 | wrong_per
  13   | per: 0.5                                                   | 13:14 | wrong_per
  13   | per: "1,000"                                               | 13:14 | wrong_per
  13   | per: 9007199254740992                                      | 13:14 | wrong_per
  13   | per: "1000000000000000000000000000000"                     | 13:14 | wrong_per
  13   | per: .inf                                                  | 13:14 | wrong_per
  13   | per: minute                                                | 13:14 | wrong_per
  13   | per: gb                                                    | 13:14 | wrong_per
  13   | # no per                                                   | 10:7  | missing_key
  14   | billedStatuses: [6xx]                                      | 14:26 | not_a_status
  14   | billedStatuses: [200]                                      | 14:26 | not_a_status
  14   | billedStatuses: [2xx, 2xx]                                 | 14:31 | duplicate
  14   | billedStatuses: []                                         | 14:25 | empty
  14   | billedstatuses: [2xx]                                      | 14:9  | unknown_key
  15-18| prices: []                                                 | 15:17 | empty
  15-18| prices: { from: now }                                      | 15:17 | wrong_type
  16   | - { from: "2026-01-01T00:00:00Z", price: 0.50 }            | 16:52 | price_not_quoted
  16   | - { from: "2026-01-01T00:00:00Z", price: 0 }               | 16:52 | price_not_quoted
  16   | - { from: "2026-01-01T00:00:00Z", price: null }            | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: }                 | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "" }              | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "0,50" }          | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "€0.50" }         | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: ".50" }           | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "00.50" }         | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "5e-1" }          | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "-0.50" }         | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "0.0000000000001" }                 | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "1000000000000000000000000000000" } | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: tbd }             | 16:52 | not_a_price
  16   | - { from: "2026-01-01T00:00:00Z", price: "1", free: no }   | 16:13 | price_or_free
  16   | - { from: "2026-01-01T00:00:00Z" }                         | 16:13 | price_or_free
  16   | - { from: "2026-01-01T00:00:00Z", pirce: "1" }             | 16:45 | unknown_key
  16   | - { from: "2026-01-01T00:00:00Z", price: "1", illustrative: yes }       | 16:71 | wrong_type
  16   | - { from: "2026-01-01T00:00:00Z", price: unknown, illustrative: true }  | 16:61 | not_allowed_here
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ price: "1" }] }             | 16:52 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ price: "1" }, { price: "2" }] }  | 16:53 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { upTo: "9", price: "2" }] } | 16:88 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { upTo: "5", price: "2" }, { price: "3" }] } | 16:88 | tier_not_ascending
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { upTo: "4.9", price: "2" }, { price: "3" }] } | 16:88 | tier_not_ascending
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "1 1000 call", price: "1" }, { upTo: "999", price: "2" }, { price: "3" }] } | 16:98 | tier_not_ascending
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: 5, price: "1" }, { price: "2" }] }        | 16:61 | price_not_quoted
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "0", price: "1" }, { price: "2" }] }      | 16:61 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5 GB", price: "1" }, { price: "2" }] }   | 16:61 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "1e3", price: "1" }, { price: "2" }] }    | 16:61 | not_a_tier
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5", price: 1 }, { price: "2" }] }        | 16:73 | price_not_quoted
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upTo: "5" }, { price: "2" }] }                  | 16:53 | missing_key
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [{ upto: "5", price: "1" }, { price: "2" }] }      | 16:55 | unknown_key
  16   | - { from: "2026-01-01T00:00:00Z", tiers: [] }              | 16:52 | empty
  16   | - { from: "2026-01-01T00:00:00Z", price: "1", tiers: [{ upTo: "5", price: "1" }, { price: "2" }] } | 16:13 | price_or_free
  17   | - { from: "2026-02-01T00:00:00Z", price: unknown } ⏎ - { from: "2026-02-02T00:00:00Z", tiers: [{ upTo: "5", price: "1" }, { price: "2" }] } | 18:13 | tiers_after_unknown
  16   | - "0.50"                                                   | 16:13 | wrong_type
  16   | - { price: "0.50" }                                        | 16:13 | missing_key
  16   | - { from: "2026-01-01", price: "0.50" }                    | 16:21 | not_a_time
  16   | - { from: "2026-01-01T00:00:00", price: "0.50" }           | 16:21 | not_a_time
  16   | - { from: "2026-02-30T00:00:00Z", price: "0.50" }          | 16:21 | not_a_time
  16   | - { from: "0000-01-01T00:00:00Z", price: "0.50" }          | 16:21 | not_a_time
  16   | - { from: "9999-12-31T23:00:00-01:00", price: "0.50" }     | 16:21 | not_a_time
  16   | - { from: 2026, price: "0.50" }                            | 16:21 | not_a_time
  16   | - { from: "2026-01-01T00:30:00Z", price: "0.50" }          | 16:21 | not_on_the_hour
  16   | - { from: "2026-01-01T00:00:00+05:30", price: "0.50" }     | 16:21 | not_on_the_hour
  16   | - { from: "2026-01-01T00:00:00.000000001Z", price: "0.50" }| 16:21 | not_on_the_hour
  17   | - { from: "2026-01-01T01:00:00+01:00", free: in winter }   | 17:21 | not_ascending
  17   | - { from: "2025-12-01T00:00:00Z", free: in winter }        | 17:21 | not_ascending
  17   | - { from: "2026-02-01T00:00:00Z", free: true }             | 17:51 | not_a_reason
  17   | - { from: "2026-02-01T00:00:00Z", free: "  " }             | 17:51 | not_a_reason
  17   | - { from: "2026-02-01T00:00:00Z", free: "two\nlines" }     | 17:51 | not_a_reason
  17   | - { from: "2026-02-01T00:00:00Z", free: "\uD800" }         | 17:51 | not_a_reason
  19   | until: "2026-02-28T23:00:00Z"                              | 19:16 | not_ascending
  19   | until: never                                               | 19:16 | not_a_time
  22-24| rates: {}                                                  | 22:12 | empty
  22-24| rates: [pages, films]                                      | 22:12 | wrong_type
  21-24| component: processing                                      | 20:3  | missing_key
  7-28 | {}                                                         | 7:3   | empty
  7-28 | - Calls                                                    | 7:3   | wrong_type
  6-28 | items: null                                                | 6:8   | wrong_type
  6-28 | # no items                                                 | 1:1   | missing_key
  24   | films: { operations: [RenderFilm, RenderPage], unit: millisecond, per: minute, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] } | 24:41 | operation_in_two_rates
  24   | films: { operations: [RenderFilm], unit: second, per: minute, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                  | 24:61 | wrong_per
  24   | films: { operations: [RenderFilm], unit: call, per: GB, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                        | 24:59 | wrong_per
  24   | films: { operations: [RenderFilm], unit: byte, per: GB-hour, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                   | 24:59 | wrong_per
  24   | films: { operations: [RenderFilm], unit: call, per: 1, billedStatuses: [2xx], prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }  | 24:62 | not_allowed_here
  28   | default: { unit: call, per: GB-hour, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                                           | 28:24 | wrong_unit
  28   | default: { unit: byte, per: GB, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                                                | 28:35 | wrong_per
  28   | default: { unit: byte, per: 1000, prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                                              | 28:35 | wrong_per
  28   | default: { unit: byte, per: GB-hour, operations: [Store], prices: [{ from: "2026-01-01T00:00:00Z", price: "1" }] }                      | 28:44 | not_allowed_here
`)) {
  test(`${lines} as ${instead}: ${code}`, () => {
    const codes = codesOf(parsePriceBook(sampleWith(lines, instead), 'acme.yaml'))
    expect(codes).toEqual([`${at} price_book/${code}`])
  })
}
