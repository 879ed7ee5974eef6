import { oneLine, systemCode } from './embedded/refusal.ts'
import { SettingLost } from './embedded/session-settings.ts'
import { sqlState } from './transaction.ts'

/** Why a start has failed that nothing of Farthing refused. Codes are public API: add, never rename. */
export type TroubleCode =
  | 'start/database_rights'
  | 'start/database_refuses'
  | 'start/disk_full'
  | 'start/file_rights'
  | 'start/too_many_files'

export interface Trouble {
  readonly ok: false
  readonly code: TroubleCode
  readonly detail: string
}

/** Codes of the system, each with its own, the problem and the fix. */
const SYSTEM: Readonly<Record<string, readonly [code: TroubleCode, problem: string, fix: string]>> = {
  EMFILE: [
    'start/too_many_files',
    'This process may open no further file',
    'raise its limit (ulimit -n 4096, or LimitNOFILE= of the systemd unit)',
  ],
  ENFILE: ['start/too_many_files', 'This machine may open no further file', 'raise fs.file-max'],
  EACCES: ['start/file_rights', 'The system refuses a file', 'give this user the right to use it'],
  EPERM: ['start/file_rights', 'The system refuses a file', 'give this user the right to use it'],
  EROFS: [
    'start/file_rights',
    'A file system is read-only',
    'mount it so that it can be written, or set FARTHING_DATA_DIR to another directory',
  ],
  ENOSPC: ['start/disk_full', 'A disk is full', 'free some space'],
  EDQUOT: ['start/disk_full', 'The disk quota of this user is used up', 'free some space'],
}

const RIGHTS = /^(?:42501|28...)$/
/** Of the database's surroundings, never of a statement: too many sessions, full, read-only, shutting down, gone. */
const SURROUNDINGS = /^(?:08...|25006|53...|55P03|57...|58...|XX00[12])$/

/**
 * What the system or the database has refused, as one sentence for the person who can fix it.
 * @param subject who refuses, such as `The database at localhost:5432`
 * @returns undefined for everything else: a bug
 */
export function refuseTrouble(error: unknown, subject: string): Trouble | undefined {
  if (!(error instanceof Error)) return undefined
  const reason = oneLine(error.message)
  const system = SYSTEM[systemCode(error) ?? '']
  if (system) {
    const [code, problem, fix] = system
    return { ok: false, code, detail: `${problem} (${reason}): ${fix}.` }
  }
  const state = sqlState(error) ?? ''
  if (RIGHTS.test(state)) {
    const fix = 'grant its role what docs/operations.md lists'
    return { ok: false, code: 'start/database_rights', detail: `${subject} refuses (${reason}): ${fix}.` }
  }
  if (SURROUNDINGS.test(state) || error instanceof SettingLost || isCutOff(error)) {
    const fix = 'see its log, and try again'
    return { ok: false, code: 'start/database_refuses', detail: `${subject} refuses (${reason}): ${fix}.` }
  }
  return undefined
}

function isCutOff(error: Error): boolean {
  const code = systemCode(error) ?? ''
  const isNetwork = [
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENOTFOUND',
  ].includes(code)
  return isNetwork || /^Connection terminated|^timeout exceeded when trying to connect/.test(error.message)
}
