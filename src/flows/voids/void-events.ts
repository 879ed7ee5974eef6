import { countOf } from '../../core/present/readable-text.ts'
import type pg from 'pg'
import { isReservedSource } from '../../core/ingest/ended-level.ts'
import { invariant } from '../../core/invariant.ts'
import { throughGate } from '../../store/gate.ts'
import { insertAuditEntry } from '../../store/audit.ts'
import { insertVoidedEvents, findVoidedEvents } from '../../store/voids.ts'
import { deleteHeldEvents } from '../../store/held-events.ts'
import type { EventKey } from '../../store/key-columns.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { run, type Sql } from '../../store/query.ts'
import { sqlState } from '../../store/transaction.ts'
import { decideVoids, type VoidDecision } from './decide-voids.ts'

/** Events that one transaction voids: it holds the gate, shared, for some milliseconds. */
export const VOIDS_PER_TRANSACTION_MAX = 1_000

/** Two orders for the same events may wait for each other: one of them is told, and tries again. */
const DEADLOCK = '40P01'
const ATTEMPTS_MAX = 5

/** Who takes events back, and why. Actor and reason are part of the digest of the bill that does. */
export interface VoidOrder {
  /** The id of a key, or a local command. */
  readonly actor: string
  readonly reason: string
  /** Which events are meant, for the audit log: `with the id "call-17"`. */
  readonly what: string
}

export interface Voided {
  /** Voided now; in a dry run: what would be. */
  readonly decisions: readonly VoidDecision[]
  /** Were voided before: nothing changes. */
  readonly already: number
}

/**
 * Take events back: they stay, with their identities, and count no more. Billed ones are given back in the open hour,
 * at their own prices; others never appear on a bill. Events that Farthing itself added are left alone, no matter who means
 * them. Can be run twice, and at the same time.
 * @param keys stored events, at most `VOIDS_PER_TRANSACTION_MAX`
 */
export async function voidEvents(
  pool: pg.Pool,
  order: VoidOrder,
  keys: readonly EventKey[],
): Promise<Voided> {
  invariant(keys.length <= VOIDS_PER_TRANSACTION_MAX, 'voids come in pages')
  for (let attempt = 1; ; attempt++) {
    try {
      return await voidOnce(pool, order, keys)
    } catch (error) {
      if (sqlState(error) !== DEADLOCK || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

function voidOnce(pool: pg.Pool, order: VoidOrder, meant: readonly EventKey[]): Promise<Voided> {
  const keys = sentOnly(meant)
  return throughGate(pool, 'shared', async (sql, watermarks) => {
    // First: a release of one of them at this moment is waited for.
    await run(sql, deleteHeldEvents, keys)
    const { decisions, already } = await decide(sql, watermarks, keys)
    const rows = decisions.map(({ event, cycle, counted }) => {
      return {
        ...event,
        cycle,
        counted,
        orderedAt: watermarks.now,
        orderedBy: order.actor,
        reason: order.reason,
      }
    })
    const added = new Set(await run(sql, insertVoidedEvents, rows))
    const taken = decisions.filter((_, index) => added.has(index))
    await note(sql, order, taken)
    return { decisions: taken, already: already + decisions.length - taken.length }
  })
}

/** One entry of the audit log for each transaction that has taken something back. */
async function note(
  sql: Sql,
  { actor, reason, what }: VoidOrder,
  taken: readonly VoidDecision[],
): Promise<void> {
  const [first] = taken
  if (first === undefined) return
  const count = countOf(taken.length, 'event')
  const detail = `Voided ${count} ${what}: ${reason}`
  const accounts = new Set(taken.map(({ event }) => event.account))
  const account = accounts.size === 1 ? first.event.account : null
  await run(sql, insertAuditEntry, { actor, act: 'event/void', account, detail })
}

/** What `voidEvents` would do at this moment. Changes nothing. */
export function previewVoids(pool: pg.Pool, keys: readonly EventKey[]): Promise<Voided> {
  return throughGate(pool, 'shared', (sql, watermarks) => decide(sql, watermarks, sentOnly(keys)))
}

/** Those of them that a sender sent. */
function sentOnly(keys: readonly EventKey[]): readonly EventKey[] {
  return keys.filter(({ source }) => !isReservedSource(source))
}

async function decide(sql: Sql, watermarks: Watermarks, keys: readonly EventKey[]): Promise<Voided> {
  const voided = new Set(await run(sql, findVoidedEvents, keys))
  const decisions = await decideVoids(
    sql,
    watermarks,
    keys.filter((_, index) => !voided.has(index)),
  )
  return { decisions, already: voided.size }
}
