import type { Random } from '../../bench/generate/random.ts'
import { pick } from './usage.ts'

/** Something that is said about an account: it is known, and perhaps closed from an instant on. */
export interface Put {
  readonly account: string
  /** Milliseconds since 1970; undefined: nothing is said about it. */
  readonly closedAt: number | undefined
  /** An entry that is added to its price lists; undefined: none. */
  readonly priceList?: PutOnList | undefined
}

export interface PutOnList {
  /** Null: the public prices. */
  readonly list: string | null
  /** Undefined: the first hour that has not begun. */
  readonly from: number | undefined
}

export interface WhenPut {
  readonly accounts: readonly string[]
  /** Hours of usage: closings are around them. */
  readonly hours: readonly number[]
  readonly roundCount: number
  /** Is only usage of known accounts taken? */
  readonly knownOnly: boolean
}

const HOUR_MS = 3_600_000

/**
 * What is said about accounts, round by round. Some are closed, and a few of these once more, at an earlier instant: an
 * account that is opened again would owe what depends on the order of arrival.
 */
export function randomPuts(random: Random, when: WhenPut): readonly (readonly Put[])[] {
  const { accounts, hours, roundCount, knownOnly } = when
  const rounds: Put[][] = Array.from({ length: roundCount }, () => [])
  for (const account of accounts) {
    if (knownOnly) rounds[random.below(3)]!.push({ account, closedAt: undefined })
    if (!random.chance(0.35)) continue
    const closedAt = instantIn(random, pick(random, hours))
    const round = random.below(roundCount)
    rounds[round]!.push({ account, closedAt })
    if (!random.chance(0.2)) continue
    const earlier = closedAt - 1 - random.below(5 * HOUR_MS)
    rounds[round + random.below(roundCount - round)]!.push({ account, closedAt: earlier })
  }
  return rounds
}

/** The edges of the hour most of all, where usage is too. */
function instantIn(random: Random, hour: number): number {
  return hour * HOUR_MS + pick(random, [0, 0, 1, 1_800_000, HOUR_MS - 1, random.below(HOUR_MS)])
}
