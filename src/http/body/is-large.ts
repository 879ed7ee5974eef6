import { COMMA } from '../../core/text/json/json-signs.ts'
import { LARGE_BODY_BYTES, LARGE_BODY_SEPARATORS } from './limits.ts'

const NEWLINE = 0x0a

/** Does a body take milliseconds to be taken apart? By its bytes, or since it is full of small values. */
export function isLarge(body: Buffer): boolean {
  if (body.length >= LARGE_BODY_BYTES) return true
  if (body.length < LARGE_BODY_SEPARATORS) return false
  let separators = 0
  for (const byte of body) if (byte === COMMA || byte === NEWLINE) separators++
  return separators >= LARGE_BODY_SEPARATORS
}
