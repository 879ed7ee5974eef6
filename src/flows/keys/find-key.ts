import { type Sql, runOne } from '../../store/query.ts'
import { findKey, type FoundKey } from '../../store/keys.ts'
import type { Key, Scope } from './key-scopes.ts'
import { keyHash } from './key-text.ts'

/** How long an answer of the database is believed: other processes notice a revoked key this late. */
export const KEY_CACHE_MS = 5_000
/** Keys remembered at most: about 1 MB. */
export const KEYS_CACHED_MAX = 5_000

/** Finds keys by their text. */
export interface KeyRing {
  /**
   * The valid key with this text, or undefined. Asks the database at most every 5 s for each text; what is remembered
   * is there at once.
   */
  find(text: string): Key | undefined | Promise<Key | undefined>
  /** Was this text looked for lately? Then it needs no further look. */
  remembers(text: string): boolean
  /** Forget what was found: a key was revoked here. */
  forget(): void
}

interface Remembered {
  /** A promise until the database has answered. */
  key: Key | undefined | Promise<Key | undefined>
  readonly until: number
}

/**
 * A key ring with a small memory, so that a request does not cost a query. Texts that are no key are remembered
 * too; the oldest entries go first.
 * @param now milliseconds of any monotonic clock
 */
export function makeKeyRing(sql: Sql, now: () => number = () => performance.now()): KeyRing {
  const memory = new Map<string, Remembered>()
  return {
    find(text) {
      const remembered = memory.get(text)
      if (remembered && remembered.until > now()) return remembered.key
      const key = runOne(sql, findKey, { hash: keyHash(text) }).then((found) => found && keyOf(found))
      const asked: Remembered = { key, until: now() + KEY_CACHE_MS }
      memory.delete(text)
      memory.set(text, asked)
      if (memory.size > KEYS_CACHED_MAX) memory.delete(memory.keys().next().value!)
      key.then(
        (found) => {
          asked.key = found
        },
        // What failed is asked again; the caller gets the error.
        () => memory.delete(text),
      )
      return key
    },
    remembers: (text) => memory.has(text),
    forget: () => memory.clear(),
  }
}

function keyOf({ id, scopes, account }: FoundKey): Key {
  return { id, scopes: new Set(scopes as readonly Scope[]), account: account ?? undefined }
}
