/** Why an event can never be accepted as it is. Codes are public API: add, never rename (docs/errors.md). */
export type RejectionCode =
  | 'event/not_an_object'
  | 'event/missing_attribute'
  | 'event/invalid_attribute'
  | 'event/invalid_text'
  | 'event/too_long'
  | 'event/invalid_time'
  | 'event/time_out_of_range'
  | 'event/too_old'
  | 'event/missing_data'
  | 'event/invalid_data'
  | 'event/invalid_quantity'
  | 'event/inexact_number'
  | 'event/repeated_key'
  | 'event/missing_unit'
  | 'event/foreign_account'
  | 'event/reserved_source'
  | 'event/unknown_account'
  | 'event/account_closed'
  | 'event/too_many_series'
  | 'event/unreadable'
  | 'event/unstorable'

/** A rejected event's reason: one sentence that names the place and the fix. */
export interface Rejection {
  readonly code: RejectionCode
  readonly detail: string
}

export function reject(code: RejectionCode, detail: string): Rejection {
  return { code, detail }
}

/** Tells a rejection from what a reader returns when all is well. */
export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}
