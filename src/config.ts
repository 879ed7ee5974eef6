import { isAbsolute, resolve } from 'node:path'
import { nearest } from './core/text/nearest.ts'
import { TAKEN_ACCOUNTS, type TakenAccounts } from './flows/accounts/account-rules.ts'

/** What a deployment can set by its environment (ARCHITECTURE.md). Durations in milliseconds. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** Absolute. */
  readonly dataDir: string
  /** Undefined: Farthing starts a PostgreSQL of its own in `dataDir`. */
  readonly databaseUrl: string | undefined
  /** Absolute path of a price book; undefined: a demo, or what the database has. */
  readonly priceBook: string | undefined
  /** How long after its end an hour waits for late usage before it is sealed. */
  readonly graceMs: number
  /** How long a past hour that gets usage again waits for more. */
  readonly historyQuietMs: number
  /** How far apart copies of one event under different times are still found. */
  readonly identityWindowMs: number
  /** Whose usage is taken: anybody's, or that of accounts that somebody has made known. */
  readonly taken: TakenAccounts
}

export type ConfigCode = 'config/invalid_value'

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly code: ConfigCode; readonly detail: string }

type Environment = Readonly<Record<string, string | undefined>>

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface DurationSetting {
  readonly fallbackMs: number
  readonly minMs: number
  readonly maxMs: number
  readonly bounds: string
}

const DURATIONS = {
  // A bill comes within one hour after its cycle (R11): ten minutes are left to make it.
  FARTHING_GRACE: { fallbackMs: 10 * MINUTE, minMs: 0, maxMs: 50 * MINUTE, bounds: '0s to 50m' },
  // An import that pauses for longer is billed in parts, so an hour is more than anyone waits.
  FARTHING_HISTORY_QUIET: { fallbackMs: 30 * SECOND, minMs: SECOND, maxMs: HOUR, bounds: '1s to 1h' },
  // Also the span of one transaction's events (ARCHITECTURE.md): longer would find no more.
  FARTHING_IDENTITY_WINDOW: { fallbackMs: 62 * DAY, minMs: HOUR, maxMs: 62 * DAY, bounds: '1h to 62d' },
} satisfies Record<string, DurationSetting>

// URL and key are for the command line, which asks a server.
const KNOWN = [
  'FARTHING_DATA_DIR',
  'FARTHING_PRICE_BOOK',
  'FARTHING_URL',
  'FARTHING_KEY',
  'FARTHING_ACCOUNTS',
  ...Object.keys(DURATIONS),
]

/** One line for the person who can fix it. */
class BadValue extends Error {}

/**
 * Read the settings of a process. An empty variable counts as unset.
 * @param cwd what relative paths start from
 * @returns a warning for each unknown FARTHING_ variable; `config/invalid_value` names the first bad one
 */
export function readSettings(env: Environment, cwd: string): ReadSettings {
  try {
    const settings: Settings = {
      port: readPort(env),
      host: env['HOST'] || '127.0.0.1',
      dataDir: resolve(cwd, env['FARTHING_DATA_DIR'] || '.farthing'),
      databaseUrl: env['DATABASE_URL'] || undefined,
      priceBook: readPath(env, 'FARTHING_PRICE_BOOK', cwd),
      graceMs: readDuration(env, 'FARTHING_GRACE'),
      historyQuietMs: readDuration(env, 'FARTHING_HISTORY_QUIET'),
      identityWindowMs: readDuration(env, 'FARTHING_IDENTITY_WINDOW'),
      taken: readTaken(env),
    }
    return { ok: true, settings, warnings: warnUnknown(env) }
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    return { ok: false, code: 'config/invalid_value', detail: error.message }
  }
}

/** Port 0 lets the system choose a free one. */
function readPort(env: Environment): number {
  const text = env['PORT'] || '8080'
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new BadValue(`PORT is ${shown(text)}: set it to a number from 0 to 65535.`)
}

function readPath(env: Environment, name: string, cwd: string): string | undefined {
  const path = env[name]
  if (!path) return undefined
  return isAbsolute(path) ? path : resolve(cwd, path)
}

function readTaken(env: Environment): TakenAccounts {
  const text = env['FARTHING_ACCOUNTS'] || 'any'
  const taken = TAKEN_ACCOUNTS.find((one) => one === text)
  if (taken) return taken
  throw new BadValue(`FARTHING_ACCOUNTS is ${shown(text)}: set it to any, or to known.`)
}

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

function readDuration(env: Environment, name: keyof typeof DURATIONS): number {
  const { fallbackMs, minMs, maxMs, bounds } = DURATIONS[name]
  const text = env[name]
  if (!text) return fallbackMs
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) {
    throw new BadValue(
      `${name} is ${shown(text)}: write a whole number and s, m, h or d, such as 30s or 10m.`,
    )
  }
  const ms = Number(count) * UNIT_MS[unit]!
  if (ms >= minMs && ms <= maxMs) return ms
  throw new BadValue(`${name} is ${shown(text)}: set it to ${bounds}.`)
}

function warnUnknown(env: Environment): readonly string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith('FARTHING_') && !KNOWN.includes(name))
  return unknown.map((name) => {
    const meant = nearest(name, KNOWN)
    return `${shown(name)} is not a setting of Farthing and has no effect${meant ? `: did you mean ${meant}?` : '.'}`
  })
}

/** A foreign value in one short line. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
