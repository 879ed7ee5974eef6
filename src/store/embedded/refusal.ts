/** Why the embedded server could not be used. Codes are public API: add, never rename. */
export type ServerCode =
  | 'server/busy'
  | 'server/data_dir'
  | 'server/data_unreachable'
  | 'server/did_not_start'
  | 'server/disk_full'
  | 'server/elsewhere'
  | 'server/initdb_failed'
  | 'server/no_binaries'
  | 'server/no_user'
  | 'server/other_major'
  | 'server/platform'
  | 'server/socket_path'

export interface Refused {
  readonly ok: false
  readonly code: ServerCode
  /** One line for the person who can fix it: what is wrong, then what to do. */
  readonly detail: string
}

export function refuse(code: ServerCode, detail: string): Refused {
  return { ok: false, code, detail: oneLine(detail) }
}

/** Free text of the system in one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The code of a system error (`EACCES`, `ENOSPC` …), or undefined for any other thrown value. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/**
 * A file operation inside the data directory that the system has refused, as a refusal. Whatever is not the
 * system's doing is our bug, and is thrown again.
 */
export function refuseSystemError(error: unknown, dataDir: string): Refused {
  const code = systemCode(error)
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error
  if (code === 'ENOSPC' || code === 'EDQUOT') return refuseFullDisk(dataDir)
  const reason = error instanceof Error ? error.message : code
  return refuse('server/data_dir', `The data directory ${dataDir} cannot be used (${reason}): ${WHAT_TO_DO}.`)
}

const WHAT_TO_DO = 'make it a directory that this user can write to, or set FARTHING_DATA_DIR to another one'

export function refuseFullDisk(dataDir: string): Refused {
  const advice = 'free some space, or set FARTHING_DATA_DIR to a directory on a larger disk'
  return refuse('server/disk_full', `The disk that holds ${dataDir} is full: ${advice}.`)
}
