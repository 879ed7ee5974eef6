import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { sameContent } from '../../core/ingest/event.ts'
import { type Quote, quote } from '../../core/rate/quote.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { findEvents, type FoundEvent } from '../../store/queries/find-events.ts'
import { readEventDays } from '../../store/queries/read-event-days.ts'
import { run, type Sql } from '../../store/query.ts'
import { makeAccountMemory, type TakenAccounts } from '../accounts/account-rules.ts'
import { bookOf } from '../prices/read-price-version.ts'
import { findMarks } from '../start/read-deployment.ts'
import { type Candidate, conflict, resultOfNew } from './commit-events.ts'
import { type CycleDecision, decideCycles } from './decide-cycle.ts'
import type { Delivered, EventResult } from './ingest-types.ts'
import { accountNamed, isRefused, readDelivered } from './read-delivery.ts'

/** What would become of an event, and what it would cost by itself. */
export interface TriedEvent extends EventResult {
  /** In whose bill it would count; null for what is not new, and for what would be refused. */
  readonly cycle: CycleDecision | null
  readonly quotes: readonly Quote[]
}

export interface TriedEvents {
  /** The version that everything was judged under: the newest one. */
  readonly priceVersion: number
  readonly currency: string
  /** One for each element, in order. */
  readonly events: readonly TriedEvent[]
}

/** Says what sending would do, and stores nothing. */
export interface Trial {
  /** @param boundAccount the only account that the sender's key may send for; undefined: any */
  tryEvents(batch: readonly Delivered[], boundAccount: string | undefined): Promise<TriedEvents>
}

export interface TrialOptions {
  /** Its sessions need not be able to write. */
  readonly pool: pg.Pool
  /** Whose usage is taken; undefined: anybody's. */
  readonly taken?: TakenAccounts | undefined
}

/**
 * Judges deliveries as ingest would at this moment: against the database and against what stands earlier in the same
 * delivery. The gate is not taken, so what others commit meanwhile may change an outcome; so may an hour that is sealed
 * between this and the sending. What only the attempt to store can find (`event/unstorable`) is not found.
 */
export function createTrial({ pool, taken = 'any' }: TrialOptions): Trial {
  const accounts = makeAccountMemory(pool, taken)

  async function tryEvents(
    batch: readonly Delivered[],
    boundAccount: string | undefined,
  ): Promise<TriedEvents> {
    await accounts.refresh()
    const rules = await accounts.rulesFor(batch.map(accountNamed).filter((name) => name !== undefined))
    const marks = await findMarks(pool)
    const { version, book } = await bookOf(pool, marks.priceVersion)
    const context = { receivedAt: marks.now, boundAccount, writer: '', accounts: rules }
    const reads = batch.map((one) => readDelivered(book, one, context))
    const candidates = reads.filter((read): read is Candidate => !isRefused(read))
    const known = await findKnown(pool, candidates)
    const cycleOf = await decideCycles(pool, marks, candidates)
    const events = reads.map((read): TriedEvent => {
      if (isRefused(read)) return refused(read)
      const result = tellApart(known, read)
      const isNew = result.outcome === 'accepted' || result.outcome === 'held'
      if (!isNew) return { ...result, cycle: null, quotes: [] }
      return { ...result, cycle: cycleOf(read), quotes: quote(book, read, read.assessment) }
    })
    return { priceVersion: version, currency: book.currency, events }
  }

  return { tryEvents }
}

type Content = Pick<FoundEvent, 'type' | 'at' | 'data'>

/** As ingest does: new, duplicate or conflict. What is new is known from then on. */
function tellApart(known: Map<string, Content>, event: Candidate): EventResult {
  const name = keyName(event)
  const stored = known.get(name)
  if (stored === undefined) {
    known.set(name, event)
    return resultOfNew(event)
  }
  if (!sameContent(stored, event)) return conflict(event)
  return { outcome: 'duplicate', id: event.id, code: null, detail: null }
}

function refused({ id, code, detail }: RefusedEvent): TriedEvent {
  return { outcome: 'rejected', id, code, detail, cycle: null, quotes: [] }
}

const HOURS_PER_DAY = 24

/** What is stored under the keys of these events: one probe for each UTC day that has events at all. */
async function findKnown(sql: Sql, candidates: readonly Candidate[]): Promise<Map<string, Content>> {
  const known = new Map<string, Content>()
  if (candidates.length === 0) return known
  const days = new Set(await run(sql, readEventDays, undefined))
  for (const [day, keys] of groupBy(candidates, ({ hour }) => Math.floor(hour / HOURS_PER_DAY))) {
    if (!days.has(day)) continue
    const from = (day * HOURS_PER_DAY) as Hour
    const to = ((day + 1) * HOURS_PER_DAY) as Hour
    for (const found of await run(sql, findEvents, { from, to, keys })) {
      known.set(keyName(keys[found.index]!), found)
    }
  }
  return known
}

/** U+0000 cannot occur in any part, so different keys have different names. */
function keyName({ hour, account, id, source }: Candidate): string {
  return `${hour}\0${account}\0${id}\0${source}`
}
