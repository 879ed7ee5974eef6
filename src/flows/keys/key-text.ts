import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** How every key begins, so that people and secret scanners know one when they see it. */
export const KEY_PREFIX = 'frt_'

/** 32 letters and digits that are not mistaken for each other (no i, l, o, u). */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'
/** 130 random bits: nobody guesses one, so a fast hash is enough to store it. */
const RANDOM_LETTERS = 26
/** 30 bits of CRC-32: a mistyped key is told apart from an unknown one without asking the database. */
const CHECKSUM_LETTERS = 6

const SHAPE = new RegExp(`^${KEY_PREFIX}[${LETTERS}]{${RANDOM_LETTERS + CHECKSUM_LETTERS}}$`)

/** A new key. It is shown once and never stored. */
export function newKeyText(): string {
  const random = `${KEY_PREFIX}${randomLetters(RANDOM_LETTERS)}`
  return random + checksumOf(random)
}

/** Letters and digits for ids, 5 random bits each. */
export function randomLetters(length: number): string {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte & 31]).join('')
}

/** Has the text the shape of a key, and the right checksum? */
export function isKeyText(text: string): boolean {
  if (!SHAPE.test(text)) return false
  return checksumOf(text.slice(0, -CHECKSUM_LETTERS)) === text.slice(-CHECKSUM_LETTERS)
}

/** What is stored of a key: its SHA-256. */
export function keyHash(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function checksumOf(text: string): string {
  const sum = crc32(text)
  return Array.from({ length: CHECKSUM_LETTERS }, (_, index) => LETTERS[(sum >>> (5 * index)) & 31]).join('')
}
