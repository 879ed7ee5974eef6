import type { Identity } from '../../core/ingest/event.ts'

/**
 * The identities that open transactions of this process are storing. The insert of an identity waits for an open
 * transaction that inserts the same, together with its whole group: so a group leaves its repeats of those for later, and
 * stores the rest without waiting. What other processes and threads store is not known here; a group waits for those.
 */
export class InFlight {
  readonly #commits = new Map<string, Promise<unknown>>()

  /** The commit that is storing this identity now; undefined: none of this process. */
  commitOf(identity: Identity): Promise<unknown> | undefined {
    return this.#commits.size === 0 ? undefined : this.#commits.get(nameOf(identity))
  }

  /** These identities are in flight until the commit ends, well or badly. */
  async hold<Result>(identities: readonly Identity[], commit: Promise<Result>): Promise<Result> {
    const names = identities.map(nameOf)
    for (const name of names) this.#commits.set(name, commit)
    try {
      return await commit
    } finally {
      for (const name of names) if (this.#commits.get(name) === commit) this.#commits.delete(name)
    }
  }
}

/** U+0000 occurs in no part, so different identities have different names. */
function nameOf({ account, source, id }: Identity): string {
  return `${account}\0${source}\0${id}`
}
