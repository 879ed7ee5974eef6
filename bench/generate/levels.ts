import type { Account } from './accounts.ts'
import { type Random, skewedBelow } from './random.ts'
import type { Place } from './wire.ts'

/** What is stored in one dataset, as it is reported through the day. */
export interface Level {
  readonly place: Place
  readonly dataset: string
  /** Milliseconds after the full hour at which it is reported; never in the hour's last minute. */
  readonly reportedAtMs: number
  bytes: number
}

/** Reports of a level in a day: one at its first instant, one in each later hour, and the end (0 bytes). */
export const REPORTS_PER_LEVEL = 25
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const GB = 1_000_000_000

/** Levels of at most `levelsMax` datasets; if there are more, those of the first (largest) accounts. */
export function openLevels(accounts: readonly Account[], random: Random, levelsMax: number): Level[] {
  const levels: Level[] = []
  for (const account of accounts) {
    for (const project of account.projects) {
      for (let number = 1; number <= account.datasets; number++) {
        if (levels.length >= levelsMax) return levels
        levels.push(openLevel(account, project, `files-${number}`, random))
      }
    }
  }
  return levels
}

function openLevel(account: Account, project: string, dataset: string, random: Random): Level {
  const region = account.regions[0]
  const source = `//index.example.com/${region ?? 'global'}`
  return {
    place: { account: account.name, source, project, region },
    dataset,
    reportedAtMs: random.below(HOUR_MS - MINUTE_MS),
    bytes: GB + skewedBelow(random, 900 * GB),
  }
}

/** An hour passes: mostly up to 1.5 % more is stored, sometimes somebody tidies up and it is up to 4 % less. */
export function grow(level: Level, random: Random): void {
  const changed = random.chance(0.1) ? -0.04 * random.unit() : 0.015 * random.unit()
  level.bytes = Math.floor(level.bytes * (1 + changed))
}
