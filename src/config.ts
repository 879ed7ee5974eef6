import { isAbsolute, resolve } from 'node:path'
import { TAKEN_ACCOUNTS, type TakenAccounts } from './flows/accounts/account-rules.ts'
import { type Storage, STORAGES } from './store/server-facts.ts'
import { isKeyName } from './core/log/signed-note.ts'
import { canonicalHost } from './core/text/host-name.ts'
import {
  type Environment,
  portRefusal,
  readPort as portOf,
  refuseUnknown,
  shownValue,
} from './flows/start/environment.ts'
import type { LogSettings } from './flows/log/log-keys.ts'
import { type FairShares, isNetwork } from './http/limits/gates.ts'
import { SESSIONS } from './store/session-budget.ts'

/** What a deployment can set by its environment (ARCHITECTURE.md). Durations in milliseconds. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** Absolute. */
  readonly dataDir: string
  /** Undefined: Farthing starts a PostgreSQL of its own in `dataDir`. */
  readonly databaseUrl: string | undefined
  /** Where that database writes: to disks of its own, or to storage that a service replicates. */
  readonly storage?: Storage
  /** Absolute path of a price book; undefined: a demo, or what the database has. */
  readonly priceBook: string | undefined
  /** How long after its end an hour waits for late usage before it is sealed. */
  readonly graceMs: number
  /** How long a past hour that gets usage again waits for more. */
  readonly backfillQuietMs: number
  /** How far back a key may send usage that is not stored yet. */
  readonly backfillReachMs: number
  /** Series that an account may store data in: beyond, no new one is taken. */
  readonly storedSeriesMax: number
  /** How far apart duplicates of one event under different times are still found. */
  readonly identityWindowMs: number
  /** Whose usage is taken: anybody's, or that of accounts that somebody has made known. */
  readonly taken: TakenAccounts
  /** Database sessions that the process opens at most, in all of its threads. */
  readonly sessions: number
  /** The name of the log, and where its keys are. */
  readonly signing?: LogSettings
  /** Is the log served to anybody? Else to those with a key. */
  readonly isLogPublic?: boolean
  /** How much one key and one address may have. */
  readonly shares: FairShares
  /** The names by which clients reach it, in their canonical form; undefined: the machine itself, or any. */
  readonly hosts: readonly string[] | undefined
}

export type ConfigCode = 'config/invalid_value' | 'config/unknown_variable'

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly code: ConfigCode; readonly detail: string }

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
  FARTHING_BACKFILL_QUIET: { fallbackMs: 30 * SECOND, minMs: SECOND, maxMs: HOUR, bounds: '1s to 1h' },
  // A year, and the month in which its last invoice is argued about.
  FARTHING_BACKFILL_REACH: { fallbackMs: 400 * DAY, minMs: DAY, maxMs: 36_500 * DAY, bounds: '1d to 36500d' },
  // Also the span of one transaction's events (ARCHITECTURE.md): longer would find no more.
  FARTHING_IDENTITY_WINDOW: { fallbackMs: 62 * DAY, minMs: HOUR, maxMs: 62 * DAY, bounds: '1h to 62d' },
} satisfies Record<string, DurationSetting>

interface NumberSetting {
  readonly fallback: number
  readonly min: number
  readonly max: number
}

const NUMBERS = {
  // Each may be a line of a bill each hour: a tenth of that is a large customer.
  FARTHING_STORED_SERIES: { fallback: 100_000, min: 1, max: 10_000_000 },
  FARTHING_SESSIONS: SESSIONS,
  FARTHING_QUESTIONS: { fallback: 3, min: 1, max: 50 },
  FARTHING_DRY_RUNS: { fallback: 2, min: 1, max: 50 },
  FARTHING_QUESTION_RATE: { fallback: 100, min: 1, max: 10_000 },
  // A browser opens 6, a client of ours 3, a busy one in Node.js as many as it has requests on their way.
  FARTHING_CONNECTIONS: { fallback: 256, min: 4, max: 50_000 },
  FARTHING_FAILED_KEYS: { fallback: 60, min: 1, max: 10_000 },
} satisfies Record<string, NumberSetting>
/** Proxies of one deployment. */
const NETWORKS_MAX = 100

/** One line for the person who can fix it. */
class BadValue extends Error {}

/**
 * Read the settings of a process. An empty variable counts as unset.
 * @param cwd what relative paths start from
 * @returns `config/unknown_variable` and `config/invalid_value` name the first one that is wrong
 */
export function readSettings(env: Environment, cwd: string): ReadSettings {
  const unknown = refuseUnknown(env)
  if (unknown) return { ok: false, code: 'config/unknown_variable', detail: unknown }
  try {
    const settings: Settings = {
      port: readPort(env),
      host: env['HOST'] || '127.0.0.1',
      dataDir: resolve(cwd, env['FARTHING_DATA_DIR'] || '.farthing'),
      databaseUrl: env['DATABASE_URL'] || undefined,
      storage: readStorage(env),
      priceBook: readPath(env, 'FARTHING_PRICE_BOOK', cwd),
      graceMs: readDuration(env, 'FARTHING_GRACE'),
      backfillQuietMs: readDuration(env, 'FARTHING_BACKFILL_QUIET'),
      backfillReachMs: readDuration(env, 'FARTHING_BACKFILL_REACH'),
      storedSeriesMax: readNumber(env, 'FARTHING_STORED_SERIES'),
      identityWindowMs: readDuration(env, 'FARTHING_IDENTITY_WINDOW'),
      taken: readTaken(env),
      sessions: readNumber(env, 'FARTHING_SESSIONS'),
      signing: readSigning(env, cwd),
      isLogPublic: readFlag(env, 'FARTHING_LOG_PUBLIC'),
      shares: {
        questionsMax: readNumber(env, 'FARTHING_QUESTIONS'),
        dryRunsMax: readNumber(env, 'FARTHING_DRY_RUNS'),
        questionsPerSecond: readNumber(env, 'FARTHING_QUESTION_RATE'),
        connectionsMax: readNumber(env, 'FARTHING_CONNECTIONS'),
        failedKeysPerMinute: readNumber(env, 'FARTHING_FAILED_KEYS'),
        trustedProxies: readNetworks(env, 'FARTHING_TRUSTED_PROXIES'),
      },
      hosts: readHosts(env),
    }
    return { ok: true, settings }
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    return { ok: false, code: 'config/invalid_value', detail: error.message }
  }
}

function readPort(env: Environment): number {
  const text = env['PORT'] || '8080'
  const port = portOf(text)
  if (port !== undefined) return port
  throw new BadValue(portRefusal(text))
}

function readPath(env: Environment, name: string, cwd: string): string | undefined {
  const path = env[name]
  if (!path) return undefined
  return isAbsolute(path) ? path : resolve(cwd, path)
}

function readSigning(env: Environment, cwd: string): LogSettings {
  const origin = env['FARTHING_LOG_ORIGIN'] || undefined
  if (origin !== undefined && !isKeyName(origin)) {
    const form = 'write a name without blanks and +, such as billing.example.com/log'
    throw new BadValue(`FARTHING_LOG_ORIGIN is ${shownValue(origin)}: ${form}.`)
  }
  const paths = (env['FARTHING_SIGNING_KEY'] || '').split(',').flatMap((path) => path.trim() || [])
  return {
    origin,
    keyPaths: paths.length === 0 ? undefined : paths.map((path) => resolve(cwd, path)),
    embeddedDir: env['DATABASE_URL'] ? undefined : resolve(cwd, env['FARTHING_DATA_DIR'] || '.farthing'),
  }
}

function readFlag(env: Environment, name: string): boolean {
  const text = env[name] || 'false'
  if (text === 'true' || text === 'false') return text === 'true'
  throw new BadValue(`${name} is ${shownValue(text)}: set it to true, or to false.`)
}

function readTaken(env: Environment): TakenAccounts {
  const text = env['FARTHING_ACCOUNTS'] || 'any'
  const taken = TAKEN_ACCOUNTS.find((one) => one === text)
  if (taken) return taken
  throw new BadValue(`FARTHING_ACCOUNTS is ${shownValue(text)}: set it to any, or to known.`)
}

function readStorage(env: Environment): Storage {
  const text = env['FARTHING_STORAGE'] || 'local'
  const storage = STORAGES.find((one) => one === text)
  if (storage) return storage
  throw new BadValue(`FARTHING_STORAGE is ${shownValue(text)}: set it to local, or to replicated.`)
}

function readNumber(env: Environment, name: keyof typeof NUMBERS): number {
  const { fallback, min, max } = NUMBERS[name]
  const text = env[name]
  if (!text) return fallback
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new BadValue(`${name} is ${shownValue(text)}: set it to ${min} to ${max}.`)
}

function readNetworks(env: Environment, name: string): readonly string[] {
  const networks = (env[name] || '').split(',').flatMap((text) => text.trim() || [])
  if (networks.length > NETWORKS_MAX) {
    throw new BadValue(`${name} has ${networks.length} networks: join them to at most ${NETWORKS_MAX}.`)
  }
  const wrong = networks.find((text) => !isNetwork(text))
  if (wrong === undefined) return networks
  const forms = 'write addresses and networks with commas between them, such as 127.0.0.1,10.0.0.0/8'
  throw new BadValue(`${name} has ${shownValue(wrong)}, which is neither: ${forms}.`)
}

/** IPv6 addresses may come without their brackets, and ports do not matter. */
function readHosts(env: Environment): readonly string[] | undefined {
  const text = env['FARTHING_HOSTS']
  if (!text) return undefined
  const names = text.split(',').map((name) => name.trim())
  return names.map((name) => {
    const host = canonicalHost(/:.*:/.test(name) && !name.startsWith('[') ? `[${name}]` : name)
    if (host !== undefined) return host
    const form =
      'write names without scheme, path and *, such as billing.example.com, with commas between them'
    throw new BadValue(`FARTHING_HOSTS has ${shownValue(name)}: ${form}.`)
  })
}

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

function readDuration(env: Environment, name: keyof typeof DURATIONS): number {
  const { fallbackMs, minMs, maxMs, bounds } = DURATIONS[name]
  const text = env[name]
  if (!text) return fallbackMs
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (count === undefined || unit === undefined) {
    throw new BadValue(
      `${name} is ${shownValue(text)}: write a whole number and s, m, h or d, such as 30s or 10m.`,
    )
  }
  const ms = Number(count) * UNIT_MS[unit]!
  if (ms >= minMs && ms <= maxMs) return ms
  throw new BadValue(`${name} is ${shownValue(text)}: set it to ${bounds}.`)
}
