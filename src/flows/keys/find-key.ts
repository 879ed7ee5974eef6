import { type Sql, runOne } from '../../store/query.ts'
import { findKey, type FoundKey } from '../../store/keys.ts'
import type { Key, Scope } from './key-scopes.ts'
import { keyHash } from './key-text.ts'

/** How long an answer of the database holds: other processes notice a revoked key this late. */
export const KEY_CACHE_MS = 5_000
/** From this age on a key is asked for again while it goes on being used, so that no request waits for it. */
export const KEY_REFRESH_MS = 2_500
/** How long a known key goes on being used while the database does not answer. */
export const KEY_AWAY_MS = 60_000
/** A database that has not answered for this long is away. */
export const KEY_PATIENCE_MS = 500
/** Between two requests that wait for a database that is away. */
export const KEY_AGAIN_MS = 2_000
/** Keys remembered at most, and texts that are none: about 1 MB each. */
export const KEYS_CACHED_MAX = 5_000

/** Finds keys by their text. */
export interface KeyRing {
  /**
   * The valid key with this text, or undefined. What is remembered is there at once.
   * @param stranger told before the database is asked for a text of which nothing is remembered. May throw
   */
  find(text: string, stranger?: () => void): Key | undefined | Promise<Key | undefined>
  /** Texts of which nothing is remembered that the database is being asked for. */
  readonly strangers: number
  /** Forget what was found: a key was revoked here. */
  forget(): void
}

interface Known {
  readonly key: Key
  /** The database was asked at this time. */
  readonly askedAt: number
  /** It expires at this time. */
  readonly expiresAt: number
}

/**
 * A key ring with a small memory, so that a request does not cost a query. Texts that are no key are remembered too; the
 * oldest entries go first. It holds hashes of keys, never a key.
 * @param now milliseconds of any monotonic clock
 */
export function makeKeyRing(sql: Sql, now: () => number = () => performance.now()): KeyRing {
  const known = new Map<string, Known>()
  const unknown = new Map<string, number>()
  let asking = new Map<string, Promise<Key | undefined>>()
  let strangers = 0
  let awayUntil = HERE

  function ask(hash: Buffer, name: string): Promise<Key | undefined> {
    const asked = asking.get(name) ?? askOnce(hash, name, asking)
    asking.set(name, asked)
    return asked
  }

  /** @param own those that are asked for now: what `forget` came before is not remembered */
  async function askOnce(hash: Buffer, name: string, own: typeof asking): Promise<Key | undefined> {
    const askedAt = now()
    try {
      const found = await runOne(sql, findKey, { hash })
      if (own !== asking) return found && keyOf(found)
      known.delete(name)
      unknown.delete(name)
      awayUntil = HERE
      if (!found) {
        keep(unknown, name, askedAt + KEY_CACHE_MS)
        return undefined
      }
      const key = keyOf(found)
      const expiresAt = askedAt + (found.expires_in_ms ?? Infinity)
      keep(known, name, { key, askedAt, expiresAt })
      return key
    } finally {
      own.delete(name)
    }
  }

  /** What the database says, or what is remembered while it does not answer. */
  async function askAgain(hash: Buffer, name: string, { key }: Known): Promise<Key | undefined> {
    // While it is away one request waits, and the others use what is remembered.
    if (awayUntil !== HERE) awayUntil = now() + KEY_PATIENCE_MS
    const answer = await withinPatience(ask(hash, name))
    if (answer !== AWAY) return answer
    awayUntil = now() + KEY_AGAIN_MS
    return key
  }

  function askStranger(hash: Buffer, name: string): Promise<Key | undefined> {
    strangers++
    return ask(hash, name).finally(() => strangers--)
  }

  function find(text: string, stranger?: () => void): Key | undefined | Promise<Key | undefined> {
    const hash = keyHash(text)
    const name = hash.toString('latin1')
    const one = known.get(name)
    if (one === undefined) {
      if ((unknown.get(name) ?? -Infinity) > now()) return undefined
      stranger?.()
      return askStranger(hash, name)
    }
    const age = now() - one.askedAt
    if (age >= KEY_AWAY_MS || now() >= one.expiresAt) return ask(hash, name)
    if (age < KEY_REFRESH_MS) return one.key
    if (age >= KEY_CACHE_MS && now() >= awayUntil) return askAgain(hash, name, one)
    ask(hash, name).catch(() => undefined)
    return one.key
  }

  return {
    find,
    get strangers() {
      return strangers
    },
    forget() {
      known.clear()
      unknown.clear()
      asking = new Map()
    },
  }
}

/** The latest entry is the last to go. */
function keep<Value>(memory: Map<string, Value>, name: string, value: Value): void {
  memory.set(name, value)
  if (memory.size > KEYS_CACHED_MAX) memory.delete(memory.keys().next().value!)
}

/** The database has answered. */
const HERE = -Infinity
const AWAY = Symbol('the database has not answered')

async function withinPatience<Answer>(work: Promise<Answer>): Promise<Answer | typeof AWAY> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof AWAY>((resolve) => {
    timer = setTimeout(resolve, KEY_PATIENCE_MS, AWAY)
  })
  try {
    return await Promise.race([work.catch((): typeof AWAY => AWAY), late])
  } finally {
    clearTimeout(timer)
  }
}

function keyOf({ id, scopes, account }: FoundKey): Key {
  return { id, scopes: new Set(scopes as readonly Scope[]), account: account ?? undefined }
}
