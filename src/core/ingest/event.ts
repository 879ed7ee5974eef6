import type { Hour } from '../time/hour.ts'
import type { Instant } from '../time/instant.ts'
import type { Usage } from './usage.ts'

/** Identity is (account, source, id), and does not depend on time. Kept by a primary key, for ever. */
export interface Identity {
  readonly account: string
  readonly source: string
  readonly id: string
}

/** A valid event: what was sent, and what it says. */
export interface UsageEvent extends Identity {
  readonly type: string
  /** When the usage happened: the answer's time, the completion time, or the start of the level. */
  readonly at: Instant
  /** The hour of `at`. */
  readonly hour: Hour
  /** The RFC 8785 form of `data`: with `type` and `at`, the content that tells a duplicate from a conflict. */
  readonly data: string
  /** The RFC 8785 form of the other CloudEvents attributes, kept as sent; null if there are none. */
  readonly attributes: string | null
  /** Undefined when the type is unknown: the event is held. */
  readonly usage: Usage | undefined
  /** It came without a time, by a protocol that allows that: `at` is when it was received, and is not compared. */
  readonly untimed?: true
}

/** Are two events of one identity the same content? Then the second, `again`, is a duplicate, else a conflict. */
export function sameContent(
  first: Pick<UsageEvent, 'type' | 'at' | 'data'>,
  again: Pick<UsageEvent, 'type' | 'at' | 'data' | 'untimed'>,
): boolean {
  const isSameTime = again.untimed === true || first.at === again.at
  return isSameTime && first.type === again.type && first.data === again.data
}
