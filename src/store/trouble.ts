import { lostItsSession, sqlState } from './transaction.ts'
import { Outdated } from './writer.ts'

/** What is wrong with the database, as problems name it. Public API: add, never rename. */
export type TroubleCode =
  | 'service/unavailable'
  | 'service/busy'
  | 'service/damaged'
  | 'service/denied'
  | 'service/disk_full'
  | 'service/io_error'
  | 'service/no_descriptors'
  | 'service/out_of_memory'
  | 'service/read_only'
  | 'service/schema'
  | 'service/too_many_sessions'
  | 'service/too_slow'

/** Trouble of the database or the machine, and not the fault of the statement or its data. */
export interface Trouble {
  readonly code: TroubleCode
  /** A sentence for the client: what is wrong, and that it may try again. */
  readonly detail: string
  /** A sentence for operators: what is wrong, then what to do. */
  readonly advice: string
}

const TROUBLES: Readonly<Record<TroubleCode, Omit<Trouble, 'code'>>> = {
  'service/unavailable': {
    detail: 'The database cannot be reached: try again.',
    advice: 'The database cannot be reached: start it, or look at the network between.',
  },
  'service/busy': {
    detail: 'The database is busy with the same rows: try again.',
    advice:
      'Transactions wait for each other: nothing to do, unless it goes on; then look for long ones in pg_stat_activity.',
  },
  'service/damaged': {
    detail: 'A page of the database is damaged: the operator has to repair it.',
    advice:
      'PostgreSQL has found a damaged page: check the disk; then repair what its log names, or bring a backup back.',
  },
  'service/denied': {
    detail: 'The database refuses what Farthing has to do: the operator has to repair it.',
    advice: 'The role of DATABASE_URL lacks a right: grant it what the message names.',
  },
  'service/disk_full': {
    detail: 'The disk of the database is full, so nothing can be stored: try again later.',
    advice: 'The disk of the database is full: free or add space. Usage is taken again by itself.',
  },
  'service/io_error': {
    detail: 'The database cannot read or write its disk: try again later.',
    advice: 'PostgreSQL has an I/O error: look at the disk and at the log of the kernel before you go on.',
  },
  'service/no_descriptors': {
    detail: 'The server has no file descriptors left: try again.',
    advice:
      'The process or the machine is out of file descriptors: raise the limit (ulimit -n, LimitNOFILE).',
  },
  'service/out_of_memory': {
    detail: 'The database is out of memory: try again.',
    advice: 'PostgreSQL is out of memory: add some, or lower work_mem and the number of sessions.',
  },
  'service/read_only': {
    detail: 'The database takes no writes now: try again.',
    advice:
      'The database is read-only: after a failover, point DATABASE_URL to the new primary; else look for default_transaction_read_only.',
  },
  'service/schema': {
    detail: 'The database lacks a table that Farthing needs: the operator has to repair it.',
    advice: 'A table or column is missing: look whether the database was migrated, and at its search_path.',
  },
  'service/too_many_sessions': {
    detail: 'The database has no session left, because other programs use them: try again.',
    advice: 'The database has no session left: raise max_connections, or lower FARTHING_SESSIONS.',
  },
  'service/too_slow': {
    detail: 'The database did not answer in time: ask for less, or try again.',
    advice: 'A statement was cancelled, by its time limit or by a person: look at the load of the database.',
  },
}

/** By SQLSTATE, or its class. The longest that fits counts. */
const BY_STATE: Readonly<Record<string, TroubleCode>> = {
  '08': 'service/unavailable',
  '57P01': 'service/unavailable',
  '57P02': 'service/unavailable',
  '57P03': 'service/unavailable',
  '57P04': 'service/unavailable',
  '57P05': 'service/unavailable',
  '25P03': 'service/unavailable',
  '28': 'service/denied',
  '3D000': 'service/unavailable',
  '42501': 'service/denied',
  '42P01': 'service/schema',
  '42703': 'service/schema',
  '42883': 'service/schema',
  '3F000': 'service/schema',
  '25006': 'service/read_only',
  '40001': 'service/busy',
  '40P01': 'service/busy',
  '55P03': 'service/busy',
  '53100': 'service/disk_full',
  '53200': 'service/out_of_memory',
  '53300': 'service/too_many_sessions',
  '53400': 'service/out_of_memory',
  '57014': 'service/too_slow',
  '58030': 'service/io_error',
  '58P01': 'service/io_error',
  XX001: 'service/damaged',
  XX002: 'service/damaged',
}

/** Errors of the system, also as PostgreSQL words them within another SQLSTATE. */
const BY_SYSTEM: Readonly<Record<string, TroubleCode>> = {
  ECONNREFUSED: 'service/unavailable',
  ECONNRESET: 'service/unavailable',
  ECONNABORTED: 'service/unavailable',
  ENOENT: 'service/unavailable',
  EPIPE: 'service/unavailable',
  ETIMEDOUT: 'service/unavailable',
  EHOSTUNREACH: 'service/unavailable',
  ENETUNREACH: 'service/unavailable',
  ENOTFOUND: 'service/unavailable',
  EAI_AGAIN: 'service/unavailable',
  EMFILE: 'service/no_descriptors',
  ENFILE: 'service/no_descriptors',
  ENOSPC: 'service/disk_full',
  EDQUOT: 'service/disk_full',
  EROFS: 'service/read_only',
  EIO: 'service/io_error',
  ENOMEM: 'service/out_of_memory',
}

/** The driver's own errors have no code. */
const DRIVER =
  /^Connection terminated|timeout exceeded when trying to connect|^Client has encountered a connection error|^Cannot use a pool after calling end|^Client was closed and is not queryable|^Query read timeout/

/** What is wrong with the database; undefined: nothing that we know, so the error is about a statement or its data. */
export function troubleOf(error: unknown): Trouble | undefined {
  const code = codeOf(error)
  return code && { code, ...TROUBLES[code] }
}

function codeOf(error: unknown): TroubleCode | undefined {
  if (error instanceof AggregateError) {
    const [first, ...others] = error.errors.map(codeOf)
    return others.includes(undefined) ? undefined : first
  }
  if (!(error instanceof Error)) return undefined
  // This process ends within seconds; a newer one answers.
  if (error instanceof Outdated) return 'service/unavailable'
  // Before SQLSTATEs: EPIPE and EROFS look like one.
  const code = 'code' in error ? String(error.code) : ''
  const isSystem = Object.hasOwn(BY_SYSTEM, code) && ('syscall' in error || 'address' in error)
  if (isSystem) return BY_SYSTEM[code]
  const state = sqlState(error)
  if (state !== undefined) return BY_STATE[state] ?? BY_STATE[state.slice(0, 2)]
  return DRIVER.test(error.message) ? 'service/unavailable' : undefined
}

/** Is this error the database's absence, or its refusal for now? */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'service/unavailable' || code === 'service/too_many_sessions' || code === 'service/too_slow'
}

/** What damage of the data itself looks like, and not the state of the server: a cancelled statement may be of one account. */
const OF_DATA: ReadonlySet<TroubleCode> = new Set(['service/damaged', 'service/too_slow'])

/** Is this error about what is stored, or a bug that some of it brings about, so that work on other data may succeed? */
export function isOfData(error: unknown): boolean {
  if (lostItsSession(error)) return false
  const code = codeOf(error)
  return code === undefined || OF_DATA.has(code)
}

export interface Blame {
  /** A SQLSTATE, or the name of an error. */
  readonly code: string
  readonly reason: string
}

const REASON_CHARACTERS = 300

/** What an error says, without the data that it is about: a parser quotes some of it. */
export function blameOf(error: unknown): Blame {
  const code = sqlState(error) ?? (error instanceof Error ? error.name : 'Error')
  if (error instanceof SyntaxError) return { code, reason: 'stored JSON cannot be read' }
  const message = error instanceof Error ? error.message : String(error)
  const unquoted = sqlState(error) === undefined ? message : message.replace(/: ".*"$/s, '')
  return { code, reason: unquoted.replaceAll(/\s+/g, ' ').slice(0, REASON_CHARACTERS) }
}
