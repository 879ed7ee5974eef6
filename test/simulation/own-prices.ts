import type pg from 'pg'
import type { Random } from '../../bench/generate/random.ts'
import { bucketOf } from '../../src/core/ingest/bucket.ts'
import { canonicalJson } from '../../src/core/text/canonical-json.ts'
import type { Zone } from './books.ts'
import type { Put } from './closings.ts'
import { LISTS } from './price-lists.ts'
import { ALWAYS } from './prices.ts'
import { pick } from './usage.ts'

/** Time zones of accounts, set long ago. */
export type Zones = Readonly<Record<string, readonly Zone[]>>

/** What decides the prices of some accounts and of no other. */
export interface OwnPrices {
  readonly zones: Zones
  /** On lists from any hour, as long as there is no usage. */
  readonly before: readonly Put[]
  /** On lists while usage comes in, round by round. */
  readonly later: readonly (readonly Put[])[]
}

export interface WhoseAndWhen {
  readonly accounts: readonly string[]
  /** Hours of usage: lists change in them. */
  readonly hours: readonly number[]
  readonly firstHour: number
  readonly roundCount: number
  /** Is only usage of known accounts taken? */
  readonly knownOnly: boolean
}

/** Far from UTC, half and quarter hours, and with summer time. */
const ZONES = [
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'America/New_York',
  'Europe/Paris',
  'Australia/Lord_Howe',
]

export function ownPrices(random: Random, when: WhoseAndWhen): OwnPrices {
  const { accounts, hours, firstHour, roundCount, knownOnly } = when
  const zones: Record<string, readonly Zone[]> = {}
  const before: Put[] = []
  const later: Put[][] = Array.from({ length: roundCount }, () => [])
  const list = () => pick(random, [...LISTS, ...LISTS, null])
  for (const account of accounts) {
    // It makes the account known.
    if (!knownOnly && random.chance(0.5)) zones[account] = zonesOf(random, firstHour)
    if (random.chance(0.6)) {
      const starts = Array.from({ length: 1 + random.below(3) }, () =>
        pick(random, [ALWAYS, firstHour - random.below(800), ...hours]),
      )
      for (const from of [...new Set(starts)].sort((a, b) => a - b)) before.push(putOn(account, list(), from))
    }
    while (random.chance(0.4)) {
      const from = random.chance(0.7) ? undefined : pick(random, hours)
      later[random.below(roundCount)]!.push(putOn(account, list(), from))
    }
  }
  return { zones, before, later }
}

function putOn(account: string, list: string | null, from: number | undefined): Put {
  return { account, closedAt: undefined, priceList: { list, from } }
}

/** One zone for ever, or another one from a month on that has usage. */
function zonesOf(random: Random, firstHour: number): readonly Zone[] {
  const date = new Date(firstHour * 3_600_000)
  const first = { fromMonth: '2000-01', zone: pick(random, ZONES) }
  if (random.chance(0.7)) return [first]
  const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - random.below(2))
  const fromMonth = new Date(month).toISOString().slice(0, 7)
  return [first, { fromMonth, zone: pick(random, [...ZONES, 'UTC']) }]
}

export async function insertZones(pool: pg.Pool, zones: Zones): Promise<void> {
  for (const [account, own] of Object.entries(zones)) {
    await pool.query('insert into account_profile (account, bucket, time_zones) values ($1, $2, $3)', [
      account,
      bucketOf(account),
      canonicalJson(own as never),
    ])
  }
}
