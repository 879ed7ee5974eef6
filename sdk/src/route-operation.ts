import { byteLength, NAME_BYTES_MAX } from './fact-text.ts'

/**
 * The name of a route as an operation: itself, for nearly all. Routes may be longer than names, as regular expressions
 * and lists of paths are; such a one is cut, and ends with a checksum of the whole, so that it stays one of its own.
 */
export function operationOfRoute(route: string): string {
  const seen = route
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd')
    .trim()
  if (byteLength(seen) <= NAME_BYTES_MAX) return seen
  const end = `…${checksumOf(seen)}`
  const characters: string[] = []
  let left = NAME_BYTES_MAX - byteLength(end)
  for (const character of seen) {
    left -= byteLength(character)
    if (left < 0) break
    characters.push(character)
  }
  return characters.join('') + end
}

/** 32 bits of FNV-1a: enough to tell the few long routes of one program apart. */
function checksumOf(text: string): string {
  let sum = 0x811c9dc5
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return (sum >>> 0).toString(16).padStart(8, '0')
}
