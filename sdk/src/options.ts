import { SOURCE_BYTES_MAX, textTrouble } from './fact-text.ts'
import { keyTrouble, NO_KEY } from './key-text.ts'
import { refuseUnknown } from './known-members.ts'
import { invalidOption } from './meter-error.ts'
import { type MeterProblem, warnSometimes } from './problem.ts'
import type { Spool } from './spool.ts'

/** Events of one request: the server names the outcome of up to so many. */
export const BATCH_EVENTS_MAX = 1000
/** Bytes of one request: far below the 16 MiB that the server takes. */
export const BATCH_BYTES_MAX = 8 * 1024 * 1024
export const BATCH_MS_MAX = 60_000
/** Facts that may wait in memory, at most; each has some hundred bytes. */
export const QUEUE_EVENTS_MAX = 10_000_000
export const TIMEOUT_MS_MAX = 600_000

export interface MeterOptions {
  /** Where Farthing listens: `https://billing.example.com`. */
  readonly url: string
  /** A key with the scope `usage:write`. `none` where a server of yours adds it, as for a page in a browser. */
  readonly key: string
  /** Which system counted: part of every event's identity. The same for all processes of it. */
  readonly source: string
  /** Count calls of the same kind by the minute, and send one event for each kind. */
  readonly aggregate?: boolean
  /** Kinds of calls that are counted at one moment (2,000); with more, they are sent before their minute ends. */
  readonly aggregateKeys?: number
  /** Events of one request (500, at most 1,000). */
  readonly batchEvents?: number
  /** Bytes of one request (1 MiB, at most 8 MiB). */
  readonly batchBytes?: number
  /** How long an event waits for others, in milliseconds (1,000). */
  readonly batchMs?: number
  /** Facts that wait in memory (10,000). */
  readonly queueEvents?: number
  /** What a call does when so many wait: `wait` for room, `drop-newest` or `throw` (`wait`). */
  readonly whenFull?: WhenFull
  /** How long one request may take, in milliseconds (30,000). */
  readonly timeoutMs?: number
  /** Keeps facts on disk until they are delivered: `fileSpool` of `@farthing/sdk/node`. */
  readonly spool?: Spool
  /** Is told what went wrong; left out: lines on the console, the 1st, 10th, 100th … of each kind. */
  readonly onProblem?: (problem: MeterProblem) => void
}

export type WhenFull = 'wait' | 'drop-newest' | 'throw'

export type Settings = Required<Omit<MeterOptions, 'spool' | 'key'>> & {
  readonly key: string | undefined
  readonly spool: Spool | undefined
}

/** Every option, so that an unknown one is a slip of the pen. */
const KNOWN: Readonly<Record<keyof MeterOptions, true>> = {
  url: true,
  key: true,
  source: true,
  aggregate: true,
  aggregateKeys: true,
  batchEvents: true,
  batchBytes: true,
  batchMs: true,
  queueEvents: true,
  whenFull: true,
  timeoutMs: true,
  spool: true,
  onProblem: true,
}

/** @throws MeterError sdk/invalid_option */
export function readOptions(options: MeterOptions): Settings {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption('The options of createMeter are missing: pass { url, key, source }.')
  }
  refuseUnknown(options, Object.keys(KNOWN), 'the options of createMeter', invalidOption)
  const queueEvents = whole(options.queueEvents ?? 10_000, 'queueEvents', QUEUE_EVENTS_MAX)
  return {
    url: readUrl(options.url),
    key: readKey(options.key),
    source: readSource(options.source),
    aggregate: readFlag(options.aggregate ?? false, 'aggregate'),
    aggregateKeys: Math.min(
      queueEvents,
      whole(options.aggregateKeys ?? 2000, 'aggregateKeys', QUEUE_EVENTS_MAX),
    ),
    batchEvents: whole(options.batchEvents ?? 500, 'batchEvents', BATCH_EVENTS_MAX),
    batchBytes: whole(options.batchBytes ?? 1024 * 1024, 'batchBytes', BATCH_BYTES_MAX),
    batchMs: whole(options.batchMs ?? 1000, 'batchMs', BATCH_MS_MAX),
    queueEvents,
    whenFull: readWhenFull(options.whenFull ?? 'wait'),
    timeoutMs: whole(options.timeoutMs ?? 30_000, 'timeoutMs', TIMEOUT_MS_MAX),
    spool: readSpool(options.spool),
    onProblem: readListener(options.onProblem ?? warnSometimes()),
  }
}

/** The address to which events are posted. @throws MeterError sdk/invalid_option */
export function readUrl(url: unknown): string {
  const parsed = typeof url === 'string' ? parseUrl(url) : undefined
  if (parsed === undefined)
    throw invalidOption('url is no URL: pass the address of Farthing, such as https://billing.example.com.')
  if (!/^https?:$/.test(parsed.protocol))
    throw invalidOption('url is neither http nor https: pass one of them.')
  if (parsed.username !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw invalidOption('url has more than a host and a path: pass the key as `key`, and no query.')
  }
  // Who gives the address of the events themselves means the same.
  const path = parsed.pathname.replace(/\/+$/, '').replace(/\/v1\/events$/, '')
  return `${parsed.origin}${path}/v1/events`
}

function parseUrl(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

function readKey(key: unknown): string | undefined {
  if (key === NO_KEY) return undefined
  const trouble = keyTrouble(key)
  if (trouble !== undefined) throw invalidOption(trouble)
  return key as string
}

function readFlag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(`${name} is neither true nor false: pass one of them.`)
}

function readSpool(spool: Spool | undefined): Spool | undefined {
  if (spool === undefined || typeof (spool as Partial<Spool> | null)?.open === 'function') return spool
  throw invalidOption('spool is no spool: pass fileSpool({ folder }) of @farthing/sdk/node.')
}

function readListener(listener: Settings['onProblem']): Settings['onProblem'] {
  if (typeof listener === 'function') return listener
  throw invalidOption('onProblem is no function: pass one that takes a problem.')
}

function readSource(source: unknown): string {
  if (typeof source !== 'string' || source === '') {
    throw invalidOption('source is missing: name the system that counts, such as "/eu-1/gateway".')
  }
  const trouble = textTrouble(source, SOURCE_BYTES_MAX)
  if (trouble !== undefined) throw invalidOption(`source ${trouble}.`)
  return source
}

function readWhenFull(rule: WhenFull): WhenFull {
  if (['wait', 'drop-newest', 'throw'].includes(rule)) return rule
  throw invalidOption('whenFull is neither "wait", "drop-newest" nor "throw": pass one of them.')
}

function whole(value: number, name: string, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw invalidOption(`${name} is not a whole number from 1 to ${max}: pass one.`)
}

/** Tells `onProblem`. A listener that throws must not stop the sending. */
export function tell({ onProblem }: Pick<Settings, 'onProblem'>, problem: MeterProblem): void {
  try {
    onProblem(problem)
  } catch (error) {
    console.warn('Farthing usage: onProblem has thrown', error)
  }
}
