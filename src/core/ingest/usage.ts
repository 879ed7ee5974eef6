import type { Decimal } from '../money/decimal.ts'

/** The three parts of every bill (R2), in the order in which bills list them. */
export const COMPONENTS = ['request', 'processing', 'storage'] as const
export type Component = (typeof COMPONENTS)[number]

/** How the data of an event type is read: as which component, and for which operation if it names none. */
export interface EventType {
  readonly component: Component
  readonly operation: string | undefined
  /**
   * For processing events of declared types: where in their data the quantities are, by unit. The name of a field, or
   * `ONE_EACH` when each event counts one. Undefined: in `data.quantities`, beside `mode` and `outcome`.
   */
  readonly quantities?: ReadonlyMap<string, string | typeof ONE_EACH>
}

/** Each event counts one, whatever its data. */
export const ONE_EACH = 1

/** The types that every deployment understands (ARCHITECTURE.md). A price book may declare others. */
export const BUILT_IN_EVENT_TYPES: ReadonlyMap<string, EventType> = new Map(
  COMPONENTS.map((component) => [`farthing.${component}`, { component, operation: undefined }]),
)

/** Event types of this prefix are ours: a later version may add one without breaking a price book. */
export const BUILT_IN_PREFIX = 'farthing.'

/** Is it a type that no price book can declare? */
export function isBuiltIn(type: string): boolean {
  return type.startsWith(BUILT_IN_PREFIX)
}

interface Place {
  /** An account's sub-account; null when the event names none. */
  readonly project: string | null
  readonly region: string | null
}

/** One API call answered, or `count` of them with the same answer (R3 to R6). */
export interface RequestUsage extends Place {
  readonly component: 'request'
  readonly operation: string
  /** The exact HTTP status that was sent: 100 to 599. */
  readonly status: number
  readonly count: Decimal
}

/** An operator that has completed (R7, R8). The event's time is the completion time. */
export interface ProcessingUsage extends Place {
  readonly component: 'processing'
  readonly operation: string
  readonly succeeded: boolean
  /** By unit: `call`, `image`, `millisecond`, … Each at least 0. */
  readonly quantities: ReadonlyMap<string, Decimal>
}

/** A level: this many bytes are stored from the event's time on, until the next level (R9). */
export interface StorageUsage extends Place {
  readonly component: 'storage'
  readonly dataset: string | null
  readonly bytes: Decimal
}

/** What an event says was used. */
export type Usage = RequestUsage | ProcessingUsage | StorageUsage
