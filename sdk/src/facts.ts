import {
  ID_BYTES_MAX,
  operationText,
  optionalText,
  requiredText,
  RESOURCE_BYTES_MAX,
  ACCOUNT_BYTES_MAX,
} from './fact-text.ts'
import { refuseUnknown } from './known-members.ts'
import { invalidFact } from './meter-error.ts'
import { type Quantity, quantityText, wholeText } from './quantity.ts'

/** What every fact may say. */
export interface Fact {
  /** Who pays. */
  readonly account: string
  readonly project?: string | null | undefined
  readonly region?: string | null | undefined
  /** When it happened: a Date, or milliseconds since 1970. Left out: now. */
  readonly at?: Date | number | undefined
  /**
   * The identity of this fact with the account and the meter's source. Left out: a new one for each call. Pass one
   * of your own if the call itself may be repeated, such as that of a task.
   */
  readonly id?: string | undefined
}

/** A call of the API that was answered. */
export interface RequestFact extends Fact {
  readonly operation: string
  /** The HTTP status of the answer, 100 to 599. */
  readonly status: number
  /** How many such calls; 1 unless told. */
  readonly count?: Quantity | undefined
  /** The URI of the file that it was about. A fact with one is never folded with others. */
  readonly resource?: string | null | undefined
}

/** An operator that has completed; `at` is when. */
export interface ProcessingFact extends Fact {
  readonly operation: string
  /** `sync` unless told. */
  readonly mode?: 'sync' | 'async' | undefined
  /** Required for async; a sync one that returns has succeeded unless told. */
  readonly outcome?: 'succeeded' | 'failed' | undefined
  /** The async task's name. */
  readonly task?: string | undefined
  /** By unit: `{ page: 12, millisecond: '83250' }`. Required unless it failed. */
  readonly quantities?: Readonly<Record<string, Quantity>> | undefined
  readonly resource?: string | null | undefined
}

/** What a dataset stores from `at` on, until the next such fact for it. */
export interface StorageFact extends Fact {
  readonly dataset: string
  readonly bytes: Quantity
}

/** A CloudEvent as it is sent. */
export interface CloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What an event consists of, besides its identity. */
export interface Content {
  readonly type: string
  readonly account: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** One of the caller's own. */
  readonly id: string | undefined
  readonly data: Readonly<Record<string, unknown>>
}

/** Units of one fact, at most, as the server takes them. */
export const UNITS_MAX = 32
const UNIT_NAME = /^[A-Za-z0-9._:-]{1,64}$/

/** The range of `at`: what the server takes as the earliest, and the last year with four digits. */
const EARLIEST = Date.UTC(2000, 0, 1)
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const EVERY = ['account', 'project', 'region', 'at', 'id']
const REQUEST = [...EVERY, 'operation', 'status', 'count', 'resource']
const PROCESSING = [...EVERY, 'operation', 'mode', 'outcome', 'task', 'quantities', 'resource']
const STORAGE = [...EVERY, 'dataset', 'bytes']

/** @param now milliseconds since 1970, for a fact that does not say when */
export function requestContent(fact: RequestFact, now: number): Content {
  const { status, count } = checked(fact, 'request', REQUEST)
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599) {
    throw invalidFact('status is not an HTTP status: pass a number from 100 to 599.')
  }
  const data = {
    operation: operationText(fact.operation),
    status,
    ...placeOf(fact, fact.resource),
    count: wholeText(count ?? 1, 'count'),
  }
  return content('farthing.request', fact, now, data)
}

export function processingContent(fact: ProcessingFact, now: number): Content {
  const { mode = 'sync', outcome } = checked(fact, 'processing', PROCESSING)
  if (mode !== 'sync' && mode !== 'async') throw invalidFact('mode is neither "sync" nor "async": pass one.')
  const isOutcome = outcome === 'succeeded' || outcome === 'failed'
  if (!isOutcome && (outcome !== undefined || mode === 'async')) {
    throw invalidFact('outcome is neither "succeeded" nor "failed": pass one of them.')
  }
  const data = {
    operation: operationText(fact.operation),
    mode,
    ...defined({ outcome, task: optionalText(fact.task, 'task') }),
    ...placeOf(fact, fact.resource),
    ...defined({ quantities: quantitiesOf(fact) }),
  }
  return content('farthing.processing', fact, now, data)
}

export function storageContent(fact: StorageFact, now: number): Content {
  const { bytes } = checked(fact, 'storage', STORAGE)
  const data = {
    dataset: requiredText(fact.dataset, 'dataset'),
    ...placeOf(fact, undefined),
    bytes: wholeText(bytes, 'bytes'),
  }
  return content('farthing.storage', fact, now, data)
}

/** The event of some content, under the caller's id or else the one given. */
export function eventOf({ type, account, at, data, id }: Content, source: string, newId: string): CloudEvent {
  const time = new Date(at).toISOString()
  return { specversion: '1.0', id: id ?? newId, source, type, subject: account, time, data }
}

function content(type: string, fact: Fact, now: number, data: Content['data']): Content {
  const account = requiredText(fact.account, 'account', ACCOUNT_BYTES_MAX)
  return { type, account, at: instantOf(fact.at, now), id: optionalText(fact.id, 'id', ID_BYTES_MAX), data }
}

function instantOf(at: Date | number | undefined, now: number): number {
  if (at === undefined) return Math.floor(now)
  const ms = at instanceof Date ? at.getTime() : at
  if (typeof ms !== 'number' || !Number.isFinite(ms)) {
    throw invalidFact('at is no time: pass a valid Date, or milliseconds since 1970.')
  }
  if (ms < EARLIEST || ms > LATEST) {
    throw invalidFact('at is not between the years 2000 and 9999: pass milliseconds since 1970, not seconds.')
  }
  return Math.floor(ms)
}

function placeOf({ project, region }: Fact, resource: unknown): Readonly<Record<string, string>> {
  return defined({
    project: optionalText(project, 'project'),
    region: optionalText(region, 'region'),
    resource: optionalText(resource, 'resource', RESOURCE_BYTES_MAX),
  })
}

function quantitiesOf({ quantities, outcome }: ProcessingFact): Readonly<Record<string, string>> | undefined {
  if (quantities === undefined && outcome === 'failed') return undefined
  const entries = Object.entries(object(quantities, 'quantities'))
  if (entries.length === 0 && outcome !== 'failed') {
    throw invalidFact('quantities is empty: pass at least one unit, such as { call: 1 }.')
  }
  if (entries.length > UNITS_MAX) throw invalidFact(`quantities has over ${UNITS_MAX} units: pass fewer.`)
  return Object.fromEntries(
    entries.map(([unit, amount]) => {
      if (!UNIT_NAME.test(unit))
        throw invalidFact('quantities has a unit that is no name: use one like "page".')
      return [unit, quantityText(amount, `quantities.${unit}`)]
    }),
  )
}

function checked<T extends object>(fact: T, name: string, known: readonly string[]): T {
  refuseUnknown(object(fact, name), known, `a ${name} fact`, invalidFact)
  return fact
}

function object<T>(value: T, name: string): NonNullable<T> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw invalidFact(`${name} is no object: pass one with the parts that the README names.`)
}

/** Without the members that are undefined. */
function defined<T extends object>(members: T): { readonly [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { readonly [K in keyof T]: NonNullable<T[K]> }
}
