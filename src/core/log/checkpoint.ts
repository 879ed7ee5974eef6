import { decodeBase64, encodeBase64 } from '../text/base64-bytes.ts'
import { HASH_BYTES } from './tree-hash.ts'

/** C2SP tlog-checkpoint: which log, how many leaves, and the root of their tree. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** The text that is signed: exactly three lines. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

/** Undefined: it is none, or has further lines, which no checkpoint of Farthing has. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [origin, number, encoded, ...rest] = text.split('\n')
  if (!origin || rest.length !== 1 || rest[0] !== '') return undefined
  const size = /^(?:0|[1-9]\d{0,15})$/.test(number ?? '') ? Number(number) : NaN
  const root = decodeBase64(encoded ?? '')
  if (!Number.isSafeInteger(size) || root?.length !== HASH_BYTES) return undefined
  return { origin, size, root }
}
