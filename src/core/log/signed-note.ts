import { decodeBase64, encodeBase64, hexOf, utf8Bytes } from '../text/base64-bytes.ts'
import { sameBytes, type HashBytes } from './tree-hash.ts'

/** C2SP signed-note: a text, and lines of signatures below it. */

/** Of Ed25519 over the text of the note. */
export const ED25519 = 0x01
/** Of a witness: Ed25519 over the text with the time before it (C2SP tlog-cosignature). */
export const COSIGNATURE = 0x04
/** Bytes of a key's id. */
export const KEY_ID_BYTES = 4
const SIGNATURE_LINE = /^— (\S+) (\S+)$/
/** Of a note, at most: a checkpoint has few signatures. */
export const NOTE_SIGNATURES_MAX = 100

export interface NoteKey {
  readonly name: string
  readonly algorithm: number
  readonly publicKey: Uint8Array
}

export interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

export interface SignedNote {
  /** With the newline at its end. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** The first 4 bytes of SHA-256(name, newline, algorithm, public key). */
export function keyIdOf({ name, algorithm, publicKey }: NoteKey, hash: HashBytes): Uint8Array {
  return hash(Uint8Array.from([...utf8Bytes(name), 0x0a, algorithm, ...publicKey])).slice(0, KEY_ID_BYTES)
}

/** A key as text: name, id and key with + between them. */
export function writeKey(key: NoteKey, hash: HashBytes): string {
  const encoded = encodeBase64(Uint8Array.from([key.algorithm, ...key.publicKey]))
  return `${key.name}+${hexOf(keyIdOf(key, hash))}+${encoded}`
}

/** Undefined: it is no key, its id is another, or its algorithm is not one of these. */
export function readKey(text: string, hash: HashBytes): NoteKey | undefined {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? []
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
  if (name === undefined || bytes?.length !== 33) return undefined
  const key = { name, algorithm: bytes[0]!, publicKey: bytes.slice(1) }
  const isKnown = key.algorithm === ED25519 || key.algorithm === COSIGNATURE
  return isKnown && hexOf(keyIdOf(key, hash)) === id ? key : undefined
}

/** May a text be the name of a key: not empty, without white space and +. */
export function isKeyName(text: string): boolean {
  return text !== '' && !/[\s+\p{Cc}\p{Zs}\p{Zl}\p{Zp}]/u.test(text) && text.isWellFormed()
}

export function writeSignature({ name, keyId, signature }: NoteSignature): string {
  return `— ${name} ${encodeBase64(Uint8Array.from([...keyId, ...signature]))}\n`
}

export function writeNote({ text, signatures }: SignedNote): string {
  return `${text}\n${signatures.map(writeSignature).join('')}`
}

/** Undefined: it is no signed note. One without signatures is told apart by its list alone. */
export function readNote(note: string): SignedNote | undefined {
  const end = note.lastIndexOf('\n\n')
  // oxlint-disable-next-line no-control-regex
  if (end < 0 || /[\u0000-\u0009\u000b-\u001f]/.test(note)) return undefined
  const signatures = readSignatures(note.slice(end + 2))
  return signatures && { text: note.slice(0, end + 1), signatures }
}

/** Lines of signatures, each ended by a newline. */
export function readSignatures(text: string): readonly NoteSignature[] | undefined {
  if (text !== '' && !text.endsWith('\n')) return undefined
  const lines = text.split('\n').slice(0, -1)
  if (lines.length > NOTE_SIGNATURES_MAX) return undefined
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
    const bytes = encoded === undefined ? undefined : decodeBase64(encoded)
    if (name === undefined || !isKeyName(name) || bytes === undefined || bytes.length <= KEY_ID_BYTES)
      return undefined
    signatures.push({ name, keyId: bytes.slice(0, KEY_ID_BYTES), signature: bytes.slice(KEY_ID_BYTES) })
  }
  return signatures
}

/** The signatures that a key may have made: of its name and id. */
export function signaturesBy(note: SignedNote, key: NoteKey, hash: HashBytes): readonly NoteSignature[] {
  const id = keyIdOf(key, hash)
  return note.signatures.filter(({ name, keyId }) => name === key.name && sameBytes(keyId, id))
}
