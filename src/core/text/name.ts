import { byteLength, refuseText } from './well-formed.ts'

/** What nobody can see in a list: controls, formats such as U+200B and U+202E, and ends of lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/**
 * Why a text cannot name an operation or an event type; undefined when it can. Events, price books and access log
 * mappings ask this one rule, so that a name that is taken from a sender can always be listed in a price book. Names
 * are those of routers and of foreign systems: `GET /v1/photos/:id`, `POST /a/{b}/*`, `API calls`.
 * @returns the end of a sentence that begins with the place: `has the character U+200B, which nobody can see`
 */
export function nameTrouble(text: string, bytesMax: number): string | undefined {
  if (text === '') return 'is empty'
  if (refuseText(text) === 'unpaired_surrogate') return 'has an unpaired surrogate'
  const unseen = UNSEEN.exec(text)?.[0]
  if (unseen !== undefined) {
    const code = unseen.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    return `has the character U+${code}, which nobody can see`
  }
  if (text.trim() !== text) return 'begins or ends with a blank'
  if (byteLength(text) > bytesMax) return `is longer than ${bytesMax} bytes`
  return undefined
}
