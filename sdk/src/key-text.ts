/** Instead of a key, where a server in between adds it: as for a page in a browser, which must not have one. */
export const NO_KEY = 'none'

/** How the server's keys look: 26 letters at random, and 6 of a checksum. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
const FORM = new RegExp(`^frt_[${LETTERS}]{32}$`)
const CHECKSUM_LETTERS = 6

/**
 * What is wrong with a key that the server could only refuse, and what to do; undefined when it has the form of one. So
 * one that was cut off, or that is not set at all, is found at once, and not by 401 when usage is at stake.
 */
export function keyTrouble(key: unknown): string | undefined {
  const make = 'pass one that `farthing keys create` has made'
  if (key === undefined || key === null || key === '') return `key is missing: ${make}.`
  if (typeof key !== 'string') return `key is no text: ${make}.`
  if (key.trim() !== key) return 'key begins or ends with a blank or an end of line: pass it without.'
  if (!key.startsWith('frt_')) return `key is not one of Farthing, which begin with frt_: ${make}.`
  const body = key.slice(0, -CHECKSUM_LETTERS)
  if (FORM.test(key) && checksumOf(body) === key.slice(-CHECKSUM_LETTERS)) return undefined
  return `key does not end with its checksum, so it was mistyped or cut off: ${make}, whole.`
}

/** 30 bits of CRC-32. */
function checksumOf(text: string): string {
  let sum = -1
  for (let at = 0; at < text.length; at++) {
    sum ^= text.charCodeAt(at)
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  const bits = (sum ^ -1) >>> 0
  return Array.from({ length: CHECKSUM_LETTERS }, (_, at) => LETTERS[(bits >>> (5 * at)) & 31]).join('')
}
