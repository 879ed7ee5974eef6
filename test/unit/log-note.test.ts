import { createPrivateKey, hash, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkpointText, readCheckpoint } from '../../src/core/log/checkpoint.ts'
import {
  bundled,
  continuationText,
  ENTRY,
  entryOf,
  priceVersionText,
  summaryText,
} from '../../src/core/log/entry.ts'
import {
  ED25519,
  isKeyName,
  keyIdOf,
  readKey,
  readNote,
  signaturesBy,
  writeKey,
  writeNote,
} from '../../src/core/log/signed-note.ts'
import type { HashBytes } from '../../src/core/log/tree-hash.ts'
import { canonicalJson, type Json } from '../../src/core/text/canonical-json.ts'
import { decodeBase64, encodeBase64, utf8Bytes } from '../../src/core/text/base64-bytes.ts'
import { openCheckpoint, sha } from './log-oracle.ts'

// Guarantee: checkpoints and signatures are C2SP signed notes, byte for byte.

const sha256: HashBytes = (bytes) => hash('sha256', bytes, 'buffer')

/** The example of the Go library that defined the format. */
const KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const SIGNATURE =
  'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM='

test('the known key and note are read, and written as they were', () => {
  const key = readKey(KEY, sha256)!
  expect(key).toMatchObject({ name: 'PeterNeumann', algorithm: ED25519 })
  expect(writeKey(key, sha256)).toBe(KEY)
  const text = `${TEXT}\n— PeterNeumann ${SIGNATURE}\n`
  const note = readNote(text)!
  expect(note.text).toBe(TEXT)
  expect(writeNote(note)).toBe(text)
  expect(signaturesBy(note, key, sha256)).toHaveLength(1)
  expect(signaturesBy(note, { ...key, name: 'Peter' }, sha256)).toHaveLength(0)
})

test('a signed checkpoint opens by the letter, whatever its origin', () => {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), sha('a seed')])
  const privateKey = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' })
  const jwk = privateKey.export({ format: 'jwk' })
  const publicKey = Buffer.from(jwk.x!, 'base64url')
  for (const origin of ['example.com/log', 'demo-farthing.invalid/0f/2', 'журнал.example']) {
    const key = { name: origin, algorithm: ED25519, publicKey }
    const text = checkpointText({ origin, size: 20_852_163, root: sha('root') })
    expect(text).toBe(`${origin}\n20852163\n${sha('root').toString('base64')}\n`)
    const signature = sign(null, Buffer.from(text), privateKey)
    const note = writeNote({ text, signatures: [{ name: origin, keyId: keyIdOf(key, sha256), signature }] })
    const vkey = writeKey(key, sha256)
    expect(openCheckpoint(note, [vkey])).toEqual({
      origin,
      size: 20_852_163,
      root: sha('root'),
      signedBy: [vkey],
    })
    expect(openCheckpoint(note.replace('20852163', '20852164'), [vkey]).signedBy).toEqual([])
    expect(readCheckpoint(readNote(note)!.text)).toEqual({
      origin,
      size: 20_852_163,
      root: new Uint8Array(sha('root')),
    })
  }
})

const ROOT = sha('root').toString('base64')
for (const [name, text] of [
  ['two lines', `o\n1\n`],
  ['a fourth line', `o\n1\n${ROOT}\nmore\n`],
  ['no newline at the end', `o\n1\n${ROOT}`],
  ['no origin', `\n1\n${ROOT}\n`],
  ['a leading zero', `o\n01\n${ROOT}\n`],
  ['a sign', `o\n+1\n${ROOT}\n`],
  ['a size beyond exact numbers', `o\n9007199254740992\n${ROOT}\n`],
  ['a short root', `o\n1\n${ROOT.slice(4)}\n`],
  ['a root in another alphabet', `o\n1\n${sha('roo').toString('base64url')}\n`],
  ['carriage returns', `o\r\n1\r\n${ROOT}\r\n`],
] as const) {
  test(`no checkpoint: ${name}`, () => expect(readCheckpoint(text)).toBeUndefined())
}

for (const [name, note] of [
  ['no empty line', `${TEXT}— PeterNeumann ${SIGNATURE}\n`],
  ['a hyphen for the dash', `${TEXT}\n- PeterNeumann ${SIGNATURE}\n`],
  ['no newline after the signature', `${TEXT}\n— PeterNeumann ${SIGNATURE}`],
  ['a signature that is no Base64', `${TEXT}\n— PeterNeumann !!!!\n`],
  ['a signature of a key id alone', `${TEXT}\n— PeterNeumann x08gow==\n`],
  ['a name with +', `${TEXT}\n— Peter+Neumann ${SIGNATURE}\n`],
  ['a control character', `\u0001${TEXT}\n— PeterNeumann ${SIGNATURE}\n`],
  ['a blank signature line', `${TEXT}\n\n— PeterNeumann ${SIGNATURE}\n x\n`],
] as const) {
  test(`no signed note: ${name}`, () => expect(readNote(note)).toBeUndefined())
}

test('keys of another id, length or algorithm are none', () => {
  expect(readKey(KEY.replace('c74f20a3', 'c74f20a4'), sha256)).toBeUndefined()
  expect(readKey(KEY.replace('PeterNeumann', 'Peter'), sha256)).toBeUndefined()
  expect(readKey(KEY.slice(0, -4), sha256)).toBeUndefined()
  expect(readKey('', sha256)).toBeUndefined()
  expect(['a b', 'a+b', '', 'a\u00a0b', 'a\u2028b'].some(isKeyName)).toBe(false)
})

test('Base64 and UTF-8 are those of Node.js', () => {
  for (const text of ['', 'f', 'fo', 'foo', 'foob', '€𝄞é%', '\u0000'])
    expect([encodeBase64(utf8Bytes(text)), decodeBase64(encodeBase64(utf8Bytes(text)))]).toEqual([
      Buffer.from(text).toString('base64'),
      new Uint8Array(Buffer.from(text)),
    ])
  expect(['Zg=', 'Zh==', 'Zg', 'Z g==', 'Zg==\n'].map(decodeBase64)).toEqual(Array(5).fill(undefined))
})

test('an entry is its type and a salted digest, and entries are bundled by their lengths', () => {
  const [salt, digest] = [sha('salt'), sha('digest')]
  const entry = entryOf(ENTRY.bill, salt, digest, sha256)
  expect(Buffer.from(entry)).toEqual(Buffer.concat([Buffer.from([1]), sha(salt, digest)]))
  expect(Buffer.from(bundled([entry, new Uint8Array(300)])).toString('hex')).toBe(
    `0021${Buffer.from(entry).toString('hex')}012c${'00'.repeat(300)}`,
  )
})

test('texts that are logged are canonical JSON', () => {
  const sums = { currency: 'USD', total: '1.5', request: '1', processing: '0.5', storage: '0' }
  const texts = [
    priceVersionText({ version: 2, digest: 'ab', list: null }),
    priceVersionText({ version: 2, digest: 'ab', list: { name: 'a "list"', digest: 'cd' } }),
    summaryText({ hour: 487_137 as never, bills: 2, lines: 5, ...sums }),
    continuationText({ origin: 'o', checkpoint: 'o\n1\nroot\n', signed: null, reason: 'restored' }),
  ]
  for (const text of texts) expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
})
