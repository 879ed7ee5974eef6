import type pg from 'pg'
import { CLOSED_SOURCE, isReservedSource } from '../../core/ingest/ended-level.ts'
import { reread } from '../../core/ingest/reread.ts'
import { summarizeVoids, type VoidSummary } from '../../core/present/void-summary.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import { formatInstant } from '../../core/time/instant.ts'
import type { EventKey } from '../../store/key-columns.ts'
import { loadPaid } from '../accounts/account-pricing.ts'
import { readWatermarks } from '../shared/read-deployment.ts'
import { hourOf } from '../../core/time/hour.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { changeStorage, changeStorageOfRange, settledLevels } from './change-storage.ts'
import type { VoidDecision } from './decide-voids.ts'
import {
  type SelectById,
  selectById,
  type SelectByRange,
  selectByRange,
  type SelectedEvents,
  type SelectPosition,
} from './select-events.ts'
import { previewVoids, voidEvents, VOIDS_PER_TRANSACTION_MAX } from './void-events.ts'

/** An order to take events back, or the question what it would do. */
export interface OrderVoids {
  readonly account: string
  readonly select:
    | ({ readonly by: 'id' } & Omit<SelectById, 'account'>)
    | ({ readonly by: 'range' } & Omit<SelectByRange, 'account'>)
  /** Change nothing, and say what would be. */
  readonly isDryRun: boolean
  /** Where the call before has stopped; undefined: from the first event. */
  readonly after: SelectPosition | undefined
  /** Who orders it, and why. */
  readonly actor: string
  readonly reason: string
}

export interface OrderedVoids extends VoidSummary {
  readonly ok: true
  /** Events that were meant: voided now, and before. */
  readonly events: number
  readonly alreadyVoided: number
  readonly currency: string
  readonly next: SelectPosition | null
}

export type VoidsRefused = {
  readonly ok: false
  readonly code: 'void/not_found' | 'void/too_many' | 'void/own_event'
  readonly detail: string
}

/**
 * Void the next events that an order means: some of a range, or all of an id. Anyone who calls until `next` is null
 * has voided all; killed between, and ordered again, what was voided before counts as such.
 */
export async function orderVoids(pool: pg.Pool, order: OrderVoids): Promise<OrderedVoids | VoidsRefused> {
  const { book, lists } = await bookOf(pool, null)
  const selected = await select(pool, book, order)
  if ('ok' in selected) return selected
  const { keys, next } = selected
  const { account, actor, reason, after } = order
  const ordered = { actor, reason, what: namedBy(order) }
  const { decisions, already } = await (order.isDryRun
    ? previewVoids(pool, keys)
    : voidEvents(pool, ordered, keys))
  const whole = order.isDryRun && (after !== undefined || next !== null) ? rangeOf(order) : undefined
  const hour = hourOf((await readWatermarks(pool)).now)
  const paid = (await loadPaid(pool, { book, lists, hour }, [account]))(account)
  const storage = await (whole === undefined
    ? changeStorage(pool, paid, account, decisions)
    : next === null
      ? changeStorageOfRange(pool, paid, whole)
      : changeOfPart(book, decisions))
  const taken = decisions.map((decision) => takenBack(book, decision))
  const summary = summarizeVoids(paid, { account, taken, storage })
  const { currency } = book
  return { ok: true, events: decisions.length + already, alreadyVoided: already, ...summary, currency, next }
}

async function select(
  pool: pg.Pool,
  book: PriceBook,
  { account, select: selection, after }: OrderVoids,
): Promise<SelectedEvents | VoidsRefused> {
  const source = selection.by === 'range' ? selection.filter.source : selection.source
  if (source !== undefined && isReservedSource(source)) return OWN_EVENT
  if (selection.by === 'range') return selectByRange(pool, book, { account, ...selection }, after)
  const all = await selectById(pool, { account, ...selection })
  const keys: readonly EventKey[] = all.filter((key) => !isReservedSource(key.source))
  if (keys.length < all.length && keys.length === 0) return OWN_EVENT
  if (keys.length === 0) {
    const detail =
      'There is no event of this account and id, of this source and time: it never came, or has another id.'
    return { ok: false, code: 'void/not_found', detail }
  }
  if (keys.length > VOIDS_PER_TRANSACTION_MAX) {
    const detail = `The id has more than ${VOIDS_PER_TRANSACTION_MAX} events: name their source, or from and to.`
    return { ok: false, code: 'void/too_many', detail }
  }
  return { keys, next: null }
}

const OWN_EVENT: VoidsRefused = {
  ok: false,
  code: 'void/own_event',
  detail: `Events of a source that ends with ${CLOSED_SOURCE} end what a closed account stores, and cannot be voided: open the account, or close it at another time.`,
}

function takenBack(book: PriceBook, { event, cycle, counted }: VoidDecision) {
  const usage = reread(book.eventTypes, event.type, event.data)
  return { event: { ...event, usage }, isDuplicate: event.isDuplicate, cycle, counted }
}

function rangeOf({ account, select: selection }: OrderVoids): SelectByRange | undefined {
  return selection.by === 'range' ? { account, ...selection } : undefined
}

/**
 * A part that is not done cannot be seen by the next one, and their levels replace each other: null if it has any. The
 * last part of a dry run says it for all.
 */
function changeOfPart(book: PriceBook, decisions: readonly VoidDecision[]): string | null {
  return settledLevels(book, decisions).length === 0 ? '0' : null
}

/** For the audit log: which events were meant. */
function namedBy({ select: selection }: OrderVoids): string {
  if (selection.by === 'id') {
    const { id, source } = selection
    return `with the id ${JSON.stringify(id)}${source === undefined ? '' : ` from ${JSON.stringify(source)}`}`
  }
  const { from, to, ...others } = selection.filter
  const named = Object.entries(others).filter(([, value]) => value !== undefined)
  const filter = named.map(([name, value]) => `, ${name} ${JSON.stringify(value)}`).join('')
  return `of [${formatInstant(from)}, ${formatInstant(to)})${filter}`
}
