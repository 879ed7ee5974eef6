import { nameTrouble } from '../text/name.ts'
import { byteLength, refuseText } from '../text/well-formed.ts'
import type { Json } from '../text/canonical-json.ts'
import { isRejection, reject, type Rejection } from './rejection.ts'

/** Limits in UTF-8 bytes. They bound index entries, messages and URLs; docs/limits.md gives the reasons. */
export const ACCOUNT_BYTES_MAX = 255
export const SOURCE_BYTES_MAX = 512
export const ID_BYTES_MAX = 512
export const TYPE_BYTES_MAX = 255
/** Operation, project, region and dataset. */
export const NAME_BYTES_MAX = 255

/**
 * A text that can be stored and is short enough; undefined when it is absent (missing, null or "").
 * @returns `event/invalid_attribute` when it is no text, `event/invalid_text`, `event/too_long`
 */
export function readText(
  value: Json | undefined,
  name: string,
  bytesMax: number,
): string | undefined | Rejection {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string')
    return reject('event/invalid_attribute', `${name} is not a string: send it as one.`)
  const bad = refuseText(value)
  if (bad === 'nul_character') {
    return reject('event/invalid_text', `${name} contains the character U+0000: send it without.`)
  }
  if (bad)
    return reject('event/invalid_text', `${name} contains an unpaired surrogate: send well-formed Unicode.`)
  // A UTF-16 unit is at most 3 bytes, so most texts need not be counted.
  if (value.length * 3 > bytesMax && byteLength(value) > bytesMax) {
    return reject('event/too_long', `${name} is longer than ${bytesMax} bytes: shorten it.`)
  }
  return value
}

/** As `readText`, and it must be there. @returns also `event/missing_attribute` */
export function requireText(value: Json | undefined, name: string, bytesMax: number): string | Rejection {
  const text = readText(value, name, bytesMax)
  return text ?? reject('event/missing_attribute', `${name} is missing: send a non-empty string.`)
}

/** A text that was read, if a price book can list it. @returns also `event/invalid_text` */
export function asName<Text extends string | undefined>(
  text: Text | Rejection,
  name: string,
  bytesMax: number,
): Text | Rejection {
  if (text === undefined || isRejection(text)) return text
  const trouble = nameTrouble(text, bytesMax)
  return trouble === undefined ? text : reject('event/invalid_text', `${name} ${trouble}: send it without.`)
}
