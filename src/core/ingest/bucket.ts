/** Accounts are spread over this many buckets: the unit in which settlement is claimed. Never changes. */
export const BUCKETS = 256

/**
 * The bucket of an account, 0 to 255: FNV-1a over its UTF-16 units (low byte, high byte), folded to 8 bits.
 * Stored with every fact of the account, so it must give the same number for ever.
 */
export function bucketOf(account: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < account.length; at++) {
    const unit = account.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff
}
