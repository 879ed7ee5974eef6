/**
 * Numbers and names as people read them in tables. Text in, text out: no digit passes through a JavaScript
 * number, and nothing is rounded.
 */

/** `1234567.5` as `1,234,567.5`. The fraction is left as it is, so that digits can be compared one by one. */
export function readableNumber(plain: string): string {
  const [whole = '', fraction] = plain.split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

/** `1 call`, `1,200 calls`, `0.5 minutes`: every count in a message is written by this, so that each is right for one. */
export function countOf(count: string | number, unit: string): string {
  return `${readableNumber(String(count))} ${agree(count, unit, plural(unit))}`
}

/** The word that goes with a count: `agree(1, 'was', 'were')`. */
export function agree(count: string | number, one: string, many: string): string {
  return String(count) === '1' ? one : many
}

/** The unit for any number but one: `call` gives `calls`, `query` gives `queries`. */
export function plural(unit: string): string {
  if (/[^aeiou]y$/.test(unit)) return `${unit.slice(0, -1)}ies`
  return /(?:s|x|z|ch|sh)$/.test(unit) ? `${unit}es` : `${unit}s`
}

/** What one unit price is for, as it is read after `per`: `1,000 calls`, `minute`, `GB-hour`. */
export function readablePer(pricingUnit: string): string {
  const counted = /^(\d+) (.+)$/.exec(pricingUnit)
  if (!counted) return pricingUnit
  const [, count, unit] = counted
  return count === '1' ? unit! : countOf(count!, unit!)
}

/** `2025-07-28T03:00:00Z` or `…T03:00:00.000Z` as `2025-07-28 03:00`, for columns whose heading says UTC. */
export function readableTime(rfc3339: string): string {
  const [, day, minute, second = ''] =
    /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?Z$/.exec(rfc3339) ?? []
  if (day === undefined) return safeText(rfc3339)
  return `${day} ${minute}${/^:00(?:\.0+)?$/.test(second) ? '' : second.replace(/\.0+$/, '')}`
}

/** Foreign text in one line, with no character that could move a terminal's cursor or turn its direction. */
export function safeText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
}
