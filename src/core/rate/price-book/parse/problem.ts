/**
 * Everything that can be wrong with a price book. Codes are public API: add, never rename. Each is explained
 * with an example in docs/price-book.md; a test compares both.
 */
export const PRICE_BOOK_PROBLEM_CODES = [
  // The text (read outside the core).
  'price_book/too_large',
  'price_book/not_utf8',
  'price_book/yaml_syntax',
  'price_book/yaml_documents',
  'price_book/yaml_directive',
  'price_book/yaml_alias',
  'price_book/yaml_tag',
  'price_book/yaml_merge_key',
  'price_book/yaml_duplicate_key',
  'price_book/yaml_key_not_text',
  'price_book/yaml_inexact_number',
  'price_book/too_deep',
  // The shape.
  'price_book/wrong_type',
  'price_book/unknown_key',
  'price_book/missing_key',
  'price_book/empty',
  'price_book/too_many',
  'price_book/not_a_name',
  'price_book/duplicate',
  'price_book/not_allowed_here',
  // The rules.
  'price_book/unknown_currency',
  'price_book/unknown_component',
  'price_book/reserved_event_type',
  'price_book/unknown_operation',
  'price_book/operation_in_two_rates',
  'price_book/wrong_unit',
  'price_book/wrong_per',
  'price_book/not_a_status',
  'price_book/price_not_quoted',
  'price_book/not_a_price',
  'price_book/price_or_free',
  'price_book/not_a_tier',
  'price_book/tier_not_ascending',
  'price_book/tiers_after_unknown',
  'price_book/not_a_reason',
  'price_book/not_a_time',
  'price_book/not_on_the_hour',
  'price_book/not_ascending',
  // A new book as a whole.
  'price_book/missing_quantity',
] as const

/** What can be wrong with a price list beside what can be wrong with a book. */
export const PRICE_LIST_PROBLEM_CODES = [
  'price_list/unknown_rate',
  'price_list/not_a_discount',
  'price_list/not_a_minimum',
  'price_list/unknown_price',
  'price_list/tiers_after_unknown',
  'price_list/free_publicly',
  'price_list/other_name',
  'price_list/changes_past',
] as const

/** What a valid book should still tell its author. */
export const PRICE_BOOK_REMARK_CODES = [
  'price_book/illustrative_prices',
  'price_book/unknown_price',
  'price_book/costs_nothing',
  'price_book/fee_for_free_operation',
  'price_book/unused_quantity',
  'price_book/quantity_missing_later',
  'price_book/type_without_fee',
  'price_book/several_units',
  'price_book/processing_only',
] as const

export type PriceBookProblemCode =
  (typeof PRICE_BOOK_PROBLEM_CODES)[number] | (typeof PRICE_LIST_PROBLEM_CODES)[number]
export type PriceBookRemarkCode = (typeof PRICE_BOOK_REMARK_CODES)[number]

/** Keys and list positions from the root of the data down to a value. */
export type Path = readonly (string | number)[]

interface Finding<Code extends string> {
  /** The offending value. The last key may be one that is missing. */
  readonly path: Path
  readonly code: Code
  /** What is wrong, one sentence. */
  readonly message: string
  /** What to write instead. */
  readonly fix: string
}

export type PriceBookProblem = Finding<PriceBookProblemCode>
export type PriceBookRemark = Finding<PriceBookRemarkCode>

/** More problems than this are not reported: one mistake made everywhere needs no longer list. */
export const PROBLEMS_MAX = 100

/** `items.ImageDetect.rates.faces.prices[0].price`, or `the price book` for the root. */
export function formatPath(path: Path): string {
  if (path.length === 0) return 'the price book'
  return path.map((step, index) => formatStep(step, index === 0)).join('')
}

function formatStep(step: string | number, isFirst: boolean): string {
  if (typeof step === 'number') return `[${step}]`
  const name = /^[A-Za-z0-9_:-]{1,128}$/.test(step) ? step : quote(step)
  return isFirst ? name : `.${name}`
}

/** Characters of foreign text that a message repeats. */
const QUOTED_MAX = 60

/** Foreign text for a message: short, and with no control character that could reach a terminal. */
export function quote(text: string): string {
  const shown = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text
  return JSON.stringify(shown).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
