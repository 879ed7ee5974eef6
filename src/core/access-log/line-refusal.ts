/** Why a line of an access log is no event. Codes are public API: add, never rename (docs/errors.md). */
export type LineCode =
  | 'log/unreadable'
  | 'log/two_readings'
  | 'log/invalid_time'
  | 'log/no_request_id'
  | 'log/malformed_request'
  | 'log/no_answer'
  | 'log/no_route'
  | 'log/no_account'
  | 'log/not_text'

/** One sentence that names the place and the fix. */
export interface LineRefusal {
  readonly code: LineCode
  readonly detail: string
}

export function refuseLine(code: LineCode, detail: string): LineRefusal {
  return { code, detail }
}
