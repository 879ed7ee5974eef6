import { printableJson } from '../../core/text/printable-json.ts'
import { nearest } from '../../core/text/nearest.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable of the environment that Farthing reads. */
export interface Variable {
  readonly name: string
  /** As help and docs/cli.md show it; empty when nothing stands for it. */
  readonly fallback: string
  readonly says: string
  /** Who reads it: the server and the commands on its database, the commands that ask a server, or both. */
  readonly of: 'server' | 'client' | 'both'
}

/** All of them, and no other. */
export const VARIABLES: readonly Variable[] = [
  { name: 'PORT', fallback: '8080', says: 'the port to listen on: 0 (any) to 65535', of: 'both' },
  { name: 'HOST', fallback: '127.0.0.1', says: 'the address to listen at; 0.0.0.0 is all', of: 'server' },
  { name: 'DATABASE_URL', fallback: '', says: 'a PostgreSQL of yours, 15 or newer', of: 'server' },
  {
    name: 'FARTHING_STORAGE',
    fallback: 'local',
    says: 'its storage: local, or replicated',
    of: 'server',
  },
  {
    name: 'FARTHING_DATA_DIR',
    fallback: '.farthing',
    says: 'where its data and the admin key are',
    of: 'both',
  },
  { name: 'FARTHING_PRICE_BOOK', fallback: '', says: 'the price book of a first start', of: 'server' },
  {
    name: 'FARTHING_GRACE',
    fallback: '10m',
    says: 'wait for late usage of an hour: 0s to 50m',
    of: 'server',
  },
  {
    name: 'FARTHING_BACKFILL_QUIET',
    fallback: '30s',
    says: 'wait for more usage of a past hour: 1s to 1h',
    of: 'server',
  },
  {
    name: 'FARTHING_BACKFILL_REACH',
    fallback: '400d',
    says: 'how old new usage may be: 1d to 36500d',
    of: 'server',
  },
  {
    name: 'FARTHING_STORED_SERIES',
    fallback: '100000',
    says: 'stored series of an account: 1 to 10000000',
    of: 'server',
  },
  {
    name: 'FARTHING_IDENTITY_WINDOW',
    fallback: '62d',
    says: 'how far apart duplicates are found: 1h to 62d',
    of: 'server',
  },
  { name: 'FARTHING_ACCOUNTS', fallback: 'any', says: 'whose usage is taken: any, or known', of: 'server' },
  {
    name: 'FARTHING_SESSIONS',
    fallback: '24',
    says: 'database sessions of a process: 16 to 200',
    of: 'server',
  },
  {
    name: 'FARTHING_LOG_ORIGIN',
    fallback: '',
    says: 'the name of the log, as billing.example.com/log',
    of: 'server',
  },
  {
    name: 'FARTHING_SIGNING_KEY',
    fallback: '',
    says: 'files of keys that sign the log, comma-separated',
    of: 'server',
  },
  {
    name: 'FARTHING_LOG_PUBLIC',
    fallback: 'false',
    says: 'true: the log is served without a key',
    of: 'server',
  },
  {
    name: 'FARTHING_QUESTIONS',
    fallback: '3',
    says: "questions at once of one account's key: 1 to 50",
    of: 'server',
  },
  { name: 'FARTHING_DRY_RUNS', fallback: '2', says: 'dry runs at once of a key: 1 to 50', of: 'server' },
  {
    name: 'FARTHING_QUESTION_RATE',
    fallback: '100',
    says: 'questions a second of a key: 1 to 10000',
    of: 'server',
  },
  {
    name: 'FARTHING_CONNECTIONS',
    fallback: '256',
    says: 'connections at once of an address: 4 to 50000',
    of: 'server',
  },
  {
    name: 'FARTHING_FAILED_KEYS',
    fallback: '60',
    says: 'wrong keys a minute of an address: 1 to 10000',
    of: 'server',
  },
  {
    name: 'FARTHING_TRUSTED_PROXIES',
    fallback: '',
    says: 'your proxies, as 127.0.0.1,10.0.0.0/8',
    of: 'server',
  },
  {
    name: 'FARTHING_HOSTS',
    fallback: '',
    says: 'names by which clients reach it, comma-separated',
    of: 'server',
  },
  {
    name: 'FARTHING_URL',
    fallback: '',
    says: 'the server that commands ask: http://host:port',
    of: 'client',
  },
  { name: 'FARTHING_KEY', fallback: '', says: 'the key of commands, instead of the admin key', of: 'client' },
]

const PREFIX = 'FARTHING_'
const NAMES: ReadonlySet<string> = new Set(VARIABLES.map(({ name }) => name))
const BY_ENDING = new Map([...NAMES].map((name) => [name.replace(PREFIX, ''), name]))

/**
 * A variable that begins like Farthing's and is none of them: what it was meant to change would stay as it is.
 * @returns one line for the person who can fix it
 */
export function refuseUnknown(env: Environment): string | undefined {
  const unknown = Object.keys(env).filter(
    (name) => name.toUpperCase().startsWith(PREFIX) && env[name] && !NAMES.has(name),
  )
  const [first] = unknown.toSorted()
  if (first === undefined) return undefined
  const ending = nearest(first.slice(PREFIX.length), BY_ENDING.keys())
  const meant = ending === undefined ? undefined : BY_ENDING.get(ending)
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : ''
  const fix = meant ? `set ${meant}, or unset it` : 'unset it; farthing serve --help lists the settings'
  return `${shownValue(first)} is no setting of Farthing${more}: ${fix}.`
}

/** @returns undefined for what is no port. Port 0 lets the system choose a free one */
export function readPort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

export function portRefusal(text: string): string {
  return `PORT is ${shownValue(text)}: set it to a number from 0 to 65535.`
}

/** A foreign value in one short line. */
export function shownValue(text: string): string {
  return printableJson(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
