import { canonicalJson } from '../core/text/canonical-json.ts'
import type { Instant } from '../core/time/instant.ts'
import type { ZoneHistory } from '../core/time/zone-history.ts'
import { formatMonth, parseMonth } from '../core/time/zone-month.ts'
import { invariant } from '../core/invariant.ts'

export type Tags = Readonly<Record<string, string>>

/** What is said about an account, but for its closing. */
export interface Profile {
  readonly name: string | null
  readonly tags: Tags
  readonly timeZones: ZoneHistory
}

export interface AccountProfile extends Profile {
  readonly account: string
  /** The first instant at which usage is refused; null: open. */
  readonly closedAt: Instant | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

export interface RawProfile {
  readonly account: string
  readonly name: string | null
  readonly tags: string
  readonly time_zones: string
  readonly closed_at: string | null
  readonly created_at: Date
  readonly updated_at: Date
}

export function decodeProfile(raw: RawProfile): AccountProfile {
  return {
    account: raw.account,
    name: raw.name,
    tags: JSON.parse(raw.tags) as Tags,
    timeZones: readZones(raw.time_zones),
    closedAt: raw.closed_at === null ? null : (Number(raw.closed_at) as Instant),
    createdAt: raw.created_at.getTime() as Instant,
    updatedAt: raw.updated_at.getTime() as Instant,
  }
}

export function tagsText(tags: Tags): string {
  return canonicalJson(tags)
}

/** `[{"fromMonth":"2025-08","zone":"Asia/Tokyo"}]`. */
export function zonesText(zones: ZoneHistory): string {
  return canonicalJson(zones.map(({ fromMonth, zone }) => ({ fromMonth: formatMonth(fromMonth), zone })))
}

export function readZones(text: string): ZoneHistory {
  const zones = JSON.parse(text) as readonly { readonly fromMonth: string; readonly zone: string }[]
  return zones.map(({ fromMonth, zone }) => {
    const month = parseMonth(fromMonth)
    invariant(month !== undefined, 'the months of a stored history of time zones are months')
    return { fromMonth: month, zone }
  })
}
