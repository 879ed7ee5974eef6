import { invalidFact } from './meter-error.ts'

/** Bytes of UTF-8, as the server takes them. */
export const ACCOUNT_BYTES_MAX = 255
export const SOURCE_BYTES_MAX = 512
export const ID_BYTES_MAX = 512
/** Operation, project, region, dataset and task. */
export const NAME_BYTES_MAX = 255
/** A file's URI. */
export const RESOURCE_BYTES_MAX = 4096

/** The text of a part that may be left out; "" and null are left out. */
export function optionalText(value: unknown, name: string, bytesMax = NAME_BYTES_MAX): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalidFact(`${name} is no text: pass a string.`)
  const trouble = textTrouble(value, bytesMax)
  if (trouble !== undefined) throw invalidFact(`${name} ${trouble}.`)
  return value
}

export function requiredText(value: unknown, name: string, bytesMax = NAME_BYTES_MAX): string {
  const text = optionalText(value, name, bytesMax)
  if (text === undefined) throw invalidFact(`${name} is missing: pass a text that is not empty.`)
  return text
}

/** What nobody can see in a list: the server takes no operation with it, because no price book could list that. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

export function operationText(value: unknown): string {
  const text = requiredText(value, 'operation')
  const unseen = UNSEEN.exec(text)?.[0]
  if (unseen !== undefined) {
    const code = unseen.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    throw invalidFact(`operation has the character U+${code}, which nobody can see: pass it without.`)
  }
  if (text.trim() !== text) throw invalidFact('operation begins or ends with a blank: pass it without.')
  return text
}

/** Why the server could not store a text: what is wrong, and what to do. */
export function textTrouble(text: string, bytesMax: number): string | undefined {
  if (text.includes('\u0000')) return 'has the character U+0000: pass it without'
  if (!text.isWellFormed()) return 'has an unpaired surrogate: pass well-formed Unicode'
  // A UTF-16 unit is at most 3 bytes, so most texts need not be counted.
  if (text.length * 3 > bytesMax && byteLength(text) > bytesMax) {
    return `is longer than ${bytesMax} bytes: shorten it`
  }
  return undefined
}

const encoder = new TextEncoder()

/** Length in bytes of UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length
}
