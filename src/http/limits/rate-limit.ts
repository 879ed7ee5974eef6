/** Names whose use is remembered, of each limit: a few MB. The one that was used longest ago goes first. */
export const NAMES_KEPT_MAX = 20_000

export interface Rate {
  readonly count: number
  readonly perMs: number
}

/** What is left of a limit. */
export interface Left {
  /** May it be used once more? */
  readonly ok: boolean
  readonly limit: number
  readonly remaining: number
  /** Until it may be used again, if it may not be now; otherwise until all of it is there again. */
  readonly resetMs: number
}

/**
 * So many uses of a name in some time, and as many at once. What was used comes back evenly, so nobody waits for the end of
 * a window. For each name one number is kept.
 * @param now milliseconds of any monotonic clock
 */
export class RateLimit {
  readonly #rate: Rate
  readonly #now: () => number
  /** When all of it is there again, by name. */
  readonly #fullAt = new Map<string, number>()

  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate
    this.#now = now
  }

  /** Names that are remembered. */
  get names(): number {
    return this.#fullAt.size
  }

  /** What is left, without using it. */
  look(name: string): Left {
    const { count, perMs } = this.#rate
    const usedMs = Math.max(0, (this.#fullAt.get(name) ?? 0) - this.#now())
    const eachMs = perMs / count
    const remaining = Math.floor((perMs - usedMs) / eachMs + 1e-6)
    const ok = remaining >= 1
    return {
      ok,
      limit: count,
      remaining: Math.max(0, remaining),
      resetMs: ok ? usedMs : usedMs + eachMs - perMs,
    }
  }

  /** Use it once, if it may be used. */
  use(name: string): Left {
    const before = this.look(name)
    if (!before.ok) return before
    const { count, perMs } = this.#rate
    const now = this.#now()
    const fullAt = Math.max(now, this.#fullAt.get(name) ?? 0) + perMs / count
    this.#fullAt.delete(name)
    this.#fullAt.set(name, fullAt)
    if (this.#fullAt.size > NAMES_KEPT_MAX) this.#fullAt.delete(this.#fullAt.keys().next().value!)
    return { ...before, remaining: before.remaining - 1, resetMs: fullAt - now }
  }
}

/** The headers that clients know from other services, in whole seconds. */
export function rateHeaders({ limit, remaining, resetMs }: Left): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(Math.ceil(resetMs / 1000)),
  }
}

/** The same of an answer that asks to come again. */
export function refusalHeaders(left: Left): Record<string, string> {
  return { ...rateHeaders(left), 'retry-after': String(Math.max(1, Math.ceil(left.resetMs / 1000))) }
}
