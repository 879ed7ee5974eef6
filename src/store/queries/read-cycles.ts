import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

export interface ReadCycles {
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly limit: number
}

export interface CycleRow {
  readonly hour: Hour
  readonly priceVersion: number
  readonly sealedAt: Instant
  readonly settledAt: Instant | null
}

interface RawCycle {
  readonly hour: Hour
  readonly price_version: number
  readonly sealed_at: Date
  readonly settled_at: Date | null
}

/** Sealed hours, newest first. */
export const readCycles: Query<ReadCycles, RawCycle, CycleRow> = {
  name: 'read_cycles',
  text: `
    select hour, price_version, sealed_at, settled_at
      from cycle
     where hour >= $1 and hour < $2
     order by hour desc
     limit $3`,
  values: ({ from, to, limit }) => [from, to, limit],
  decode: (raw) => ({
    hour: raw.hour,
    priceVersion: raw.price_version,
    sealedAt: raw.sealed_at.getTime() as Instant,
    settledAt: (raw.settled_at?.getTime() ?? null) as Instant | null,
  }),
}
