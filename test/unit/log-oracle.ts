import { createHash, createPublicKey, verify } from 'node:crypto'

// The log by the letter of RFC 6962 and C2SP, made apart from the product: whole lists of leaves, recursion, no tiles.

export function sha(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const leafOf = (entry: Uint8Array): Buffer => sha(Buffer.from([0]), entry)

function half(n: number): number {
  let k = 1
  while (k << 1 < n) k <<= 1
  return k
}

/** MTH(D[n]), over hashes of leaves. */
export function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha('')
  if (leaves.length === 1) return leaves[0]!
  const k = half(leaves.length)
  return sha(Buffer.from([1]), mth(leaves.slice(0, k)), mth(leaves.slice(k)))
}

/** PATH(m, D[n]). */
export function path(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const k = half(leaves.length)
  return m < k
    ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))]
}

/** PROOF(m, D[n]). */
export function proof(m: number, leaves: readonly Buffer[]): Buffer[] {
  return m === 0 ? [] : subproof(m, leaves, true)
}

function subproof(m: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === leaves.length) return isWhole ? [] : [mth(leaves)]
  const k = half(leaves.length)
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), isWhole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))]
}

/** The hashes of the tile of a level and number, of a tree with these leaves. */
export function tile(level: number, number: number, leaves: readonly Buffer[]): Buffer {
  const width = 256 ** level
  const hashes: Buffer[] = []
  for (let at = number * 256; at < number * 256 + 256 && (at + 1) * width <= leaves.length; at++) {
    hashes.push(mth(leaves.slice(at * width, (at + 1) * width)))
  }
  return Buffer.concat(hashes)
}

/** An Ed25519 key of 32 bytes as node:crypto takes it. */
function ed25519(publicKey: Buffer) {
  return createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]),
    format: 'der',
    type: 'spki',
  })
}

export interface OpenedCheckpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
  /** Names of the keys whose signatures hold. */
  readonly signedBy: readonly string[]
}

/** Open a signed checkpoint with some keys as `name+id+base64`. Throws on every other form. */
export function openCheckpoint(note: string, vkeys: readonly string[]): OpenedCheckpoint {
  const [text = '', signatures = ''] = note.split(/(?<=\n)\n/)
  const lines = text.split('\n')
  if (lines.length !== 4 || lines[3] !== '') throw new Error(`not three lines: ${text}`)
  const signedBy = signatures
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [dash, name, encoded = ''] = line.split(' ')
      if (dash !== '\u2014') throw new Error(`no signature: ${line}`)
      const bytes = Buffer.from(encoded, 'base64')
      const vkey = vkeys.find((one) => one.startsWith(`${name}+`))
      if (!vkey) return []
      const key = Buffer.from(vkey.split('+').slice(2).join('+'), 'base64')
      const id = sha(`${name}\n`, key).subarray(0, 4)
      if (!id.equals(bytes.subarray(0, 4))) return []
      return verify(null, Buffer.from(text), ed25519(key.subarray(1)), bytes.subarray(4)) ? [vkey] : []
    })
  if (!/^(0|[1-9]\d*)$/.test(lines[1]!)) throw new Error(`no size: ${lines[1]}`)
  return { origin: lines[0]!, size: Number(lines[1]), root: Buffer.from(lines[2]!, 'base64'), signedBy }
}
