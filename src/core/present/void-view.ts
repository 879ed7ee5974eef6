import { billId } from '../bill/bill-id.ts'
import { formatHourStart, type Hour, next } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'

/** What taking an event back has changed. */
export const VOID_EFFECTS = ['left_out', 'given_back', 'none'] as const
export type VoidEffect = (typeof VOID_EFFECTS)[number]

export interface VoidPlace {
  /** The cycle of the void. */
  readonly cycle: Hour
  /** The cycle in which the event counts: that of the void, or an older one; null: nowhere. */
  readonly counted: Hour | null
}

/**
 * `left_out`: no bill has the event. `given_back`: one had it, and a later one gives it back. `none`: it was held, or a
 * duplicate of another event, so there was nothing to void.
 */
export function effectOf({ cycle, counted }: VoidPlace): VoidEffect {
  if (counted === null) return 'none'
  return counted === cycle ? 'left_out' : 'given_back'
}

export interface ShownVoid extends VoidPlace {
  readonly account: string
  readonly id: string
  readonly source: string
  readonly hour: Hour
  readonly orderedAt: Instant
  readonly orderedBy: string
  readonly reason: string
  /** Has the cycle of the void its bill? */
  readonly isBilled: boolean
}

/** An event that was voided, as lists show it. `bill` is the one among whose facts the void is. */
export function voidView(row: ShownVoid) {
  const { account, id, source, hour, cycle, counted, orderedAt, orderedBy, reason, isBilled } = row
  return {
    account,
    id,
    source,
    hour: formatHourStart(hour),
    effect: effectOf(row),
    cycle: { from: formatHourStart(cycle), to: formatHourStart(next(cycle)) },
    counted: counted === null ? null : formatHourStart(counted),
    orderedAt: formatInstant(orderedAt),
    orderedBy,
    reason,
    bill: isBilled ? billId(account, cycle) : null,
  }
}
