import type { UsageEvent } from '../core/ingest/event.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'

/** An event as settlement reads it: its data not yet understood. */
export interface SettledEvent extends Omit<UsageEvent, 'usage'> {
  readonly bucket: number
}

export interface EventRow {
  hour: Hour
  bucket: number
  account: string
  id: string
  source: string
  at: string
  type: string
  data: string
  attributes: string | null
}

export function settledEvent(row: EventRow): SettledEvent {
  return { ...row, at: Number(row.at) as Instant }
}
