/** Longer numbers are refused unseen. The longest that a double is written as, 5e-324 without an exponent, has 326. */
export const NUMBER_CHARACTERS_MAX = 1_000

const FORM = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/**
 * Does a JSON number say exactly what a program reads when it takes it for a double? That is so when its decimal value
 * is the one that ECMAScript writes for the double, and so RFC 8785: for 0.1, 1.0, 1e3 and 100e-2; not for
 * 0.10000000000000001, 9007199254740993, 1e-400 or 1e400. Of two different values at most one is exact, so two that
 * are both exact never become one.
 * @param text as JSON writes a number
 */
export function isExactNumber(text: string): boolean {
  if (text.length > NUMBER_CHARACTERS_MAX) return false
  const value = Number(text)
  if (!Number.isFinite(value)) return false
  const written = String(value)
  return written === text || normalized(written) === normalized(text)
}

/** The same text for the same value: sign, digits without zeros at both ends, exponent. */
function normalized(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = FORM.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  // Where the double is neither 0 nor infinite, the exponent has at most 4 digits.
  const power = Number(exponent) - fraction.length + digits.length - significant.length
  return `${sign}${significant}e${power}`
}
