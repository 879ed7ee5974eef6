import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Checkpoint, readCheckpoint } from '../../core/log/checkpoint.ts'
import { ED25519, keyIdOf, type NoteKey, type NoteSignature, readNote } from '../../core/log/signed-note.ts'
import { readNoLink, writeNoLink } from '../../store/embedded/no-links.ts'
import { oneLine, systemCode } from '../../store/embedded/refusal.ts'
import { hashBytes } from './hash-bytes.ts'

/** A private key of the log, in a file outside of the database. */
export interface SigningKey {
  readonly path: string
  readonly publicKey: Buffer
  /** The signature of a note's text, as a key of this name. */
  sign(name: string, text: string): NoteSignature
  /** The checkpoint that it has signed last; undefined: none that is known. */
  lastSigned(): Checkpoint | undefined
  /** Remember a signed checkpoint, on disk, before anybody sees it. */
  remember(note: string): void
}

export type SigningKeyCode = 'start/signing_key'

export type ReadSigningKey =
  | { readonly ok: true; readonly key: SigningKey }
  | { readonly ok: false; readonly code: SigningKeyCode; readonly detail: string }

/** Where the key of an embedded database lies, beside the admin key. */
export function ownKeyPath(dataDir: string): string {
  return join(dataDir, 'log-key')
}

/** What the key has signed last, beside it. */
export function lastSignedPath(path: string): string {
  return `${path}.signed`
}

/** Read a key: PKCS#8, PEM, Ed25519, as `openssl genpkey -algorithm ed25519` writes it. */
export function readSigningKey(path: string): ReadSigningKey {
  try {
    const privateKey = createPrivateKey(readNoLink(path))
    if (privateKey.asymmetricKeyType !== 'ed25519')
      return refuse(path, `it is a key of ${privateKey.asymmetricKeyType ?? 'another kind'}`)
    const key = keyOf(path, privateKey)
    key.lastSigned()
    return { ok: true, key }
  } catch (error) {
    return refuse(path, systemCode(error) ? reasonOf(error) : 'it is no private key in PEM')
  }
}

/** Make a key of a new file, which only its owner can read. One that is there already is used. */
export function makeSigningKey(path: string): ReadSigningKey {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const { privateKey } = generateKeyPairSync('ed25519')
    const draft = `${path}.${process.pid}`
    rmSync(draft, { force: true })
    writeNoLink(draft, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), 0o600)
    renameSync(draft, path)
    syncFolder(dirname(path))
    return { ok: true, key: keyOf(path, privateKey) }
  } catch (error) {
    return refuse(path, reasonOf(error))
  }
}

function keyOf(path: string, privateKey: KeyObject): SigningKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = Buffer.from(x!, 'base64url')
  return {
    path,
    publicKey,
    sign(name, text) {
      const keyId = keyIdOf(noteKeyOf(name, publicKey), hashBytes)
      return { name, keyId, signature: sign(null, Buffer.from(text), privateKey) }
    },
    lastSigned: () => readLastSigned(lastSignedPath(path)),
    remember: (note) => remember(lastSignedPath(path), note),
  }
}

/** A public key of the log, as notes name it. */
export function noteKeyOf(name: string, publicKey: Uint8Array): NoteKey {
  return { name, algorithm: ED25519, publicKey }
}

/** What of a file is no checkpoint must not be taken for a key that has signed nothing. */
class LastSignedUnreadable extends Error {
  readonly code = 'EBADMSG'
}

function readLastSigned(path: string): Checkpoint | undefined {
  let text: string
  try {
    text = readNoLink(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const note = readNote(text)
  const checkpoint = note && readCheckpoint(note.text)
  if (!checkpoint) throw new LastSignedUnreadable(`${path} is no checkpoint`)
  return checkpoint
}

function remember(path: string, note: string): void {
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  writeNoLink(draft, note, 0o600)
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** So that a new name is still there after a power cut. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function refuse(path: string, why: string): ReadSigningKey {
  const advice =
    'name a file that openssl genpkey -algorithm ed25519 has written, in a folder that can be written'
  const detail = `The signing key ${path} cannot be used (${why}): ${advice}.`
  return { ok: false, code: 'start/signing_key', detail: oneLine(detail) }
}
