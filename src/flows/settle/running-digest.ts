import { createHash, type Hash, hash } from 'node:crypto'

/** Characters that are kept until they are hashed: most accounts have less in an hour, and need one call. */
const PENDING_MAX = 65_536

/**
 * SHA-256 over texts, one after the other. A hash object a small account costs more than its hashing, so one is made
 * only when a text outgrows what is worth keeping.
 */
export interface RunningDigest {
  pending: string
  hash: Hash | undefined
}

export function startDigest(): RunningDigest {
  return { pending: '', hash: undefined }
}

export function addText(digest: RunningDigest, text: string): void {
  digest.pending += text
  if (digest.pending.length < PENDING_MAX) return
  digest.hash ??= createHash('sha256')
  digest.hash.update(digest.pending)
  digest.pending = ''
}

/** Hexadecimal. Nothing can be added afterwards, and the texts are forgotten. */
export function endDigest(digest: RunningDigest): string {
  const { hash: running, pending } = digest
  digest.pending = ''
  return running ? running.update(pending).digest('hex') : hash('sha256', pending, 'hex')
}
