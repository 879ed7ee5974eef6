import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { groupBy } from '../../core/group-by.ts'
import { throughGate } from '../../store/gate.ts'
import { addEventDay } from '../../store/queries/add-event-day.ts'
import type { RefusedEvent } from '../../store/queries/add-refused-events.ts'
import { type Marks, readMarks } from '../../store/queries/read-marks.ts'
import { run, runOne } from '../../store/query.ts'
import { sqlState } from '../../store/transaction.ts'
import { type Candidate, commitEvents, HourClosed } from './commit-events.ts'
import type { EventResult } from './ingest-types.ts'
import { isRefused, refusedConflict } from './read-delivery.ts'

/** UTC days that one transaction may touch: it opens a partition for each. */
export const DAYS_PER_TRANSACTION_MAX = 62
/** Lanes that hold each other's repeats lose to each other again and again, unless they step aside for a moment. */
const ATTEMPTS_MAX = 30
const STEP_ASIDE_MS = 10
const HOURS_PER_DAY = 24

/** Another transaction took a key first, a deadlock, a serialization failure: the same again will do. */
const TRY_AGAIN = /^(?:23505|40P01|40001)$/
/** A value that cannot be stored, or more than the server's memory: one event is the culprit. */
const DATA_ERROR = /^(?:22|53200|54)/

/** The price book was published anew since the events were read: read them again under it. */
export class NewerPrices extends Error {
  override readonly name = 'NewerPrices'
}

export interface StoreGroupContext {
  readonly pool: pg.Pool
  /** The version under which the events were read. */
  readonly priceVersion: number
  /** Days whose partitions are known to exist. Grows. */
  readonly days: Set<number>
  /** Told the marks of each transaction. */
  onMarks(marks: Marks): void
}

type Read = Candidate | RefusedEvent

/**
 * Store a group of read events durably: in one transaction if it touches at most 62 days. A group that fails by
 * the data of one event is halved until that event stands alone, and is refused alone.
 * @returns one result for each event, in order
 * @throws NewerPrices, and whatever the database fails with otherwise: then some may be stored, and a repetition
 *   is harmless
 */
export async function storeGroup(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  const results = new Map<Read, EventResult>()
  for (const slice of sliceByDays(reads)) {
    const stored = await storeSlice(context, slice)
    for (const [index, read] of slice.entries()) results.set(read, stored[index]!)
  }
  return reads.map((read) => results.get(read)!)
}

/** Refused events go with the first slice. */
function sliceByDays(reads: readonly Read[]): readonly (readonly Read[])[] {
  const days = [...groupBy(reads, dayOf).keys()].filter((day) => day !== undefined)
  if (days.length <= DAYS_PER_TRANSACTION_MAX) return reads.length === 0 ? [] : [reads]
  const sliceOfDay = new Map(days.map((day, index) => [day, Math.floor(index / DAYS_PER_TRANSACTION_MAX)]))
  return [...groupBy(reads, (read) => sliceOfDay.get(dayOf(read) ?? days[0]!)!).values()]
}

function dayOf(read: Read): number | undefined {
  return isRefused(read) ? undefined : Math.floor(read.hour / HOURS_PER_DAY)
}

async function storeSlice(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  await ensureDays(context, reads)
  for (let attempt = 1; ; attempt++) {
    try {
      return await storeOnce(context, reads)
    } catch (error) {
      if (canTryAgain(error) && attempt < ATTEMPTS_MAX) {
        await sleep(Math.random() * STEP_ASIDE_MS * attempt)
        continue
      }
      const state = sqlState(error) ?? ''
      if (!DATA_ERROR.test(state)) throw error
      return reads.length === 1 ? storeUnstorable(context, reads[0]!) : storeHalves(context, reads)
    }
  }
}

function canTryAgain(error: unknown): boolean {
  return error instanceof HourClosed || TRY_AGAIN.test(sqlState(error) ?? '')
}

async function storeHalves(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  const middle = reads.length >> 1
  const first = await storeSlice(context, reads.slice(0, middle))
  return [...first, ...(await storeSlice(context, reads.slice(middle)))]
}

/** One transaction: gate, marks, rows, commit. */
async function storeOnce(
  context: StoreGroupContext,
  reads: readonly Read[],
): Promise<readonly EventResult[]> {
  const candidates = reads.filter((read): read is Candidate => !isRefused(read))
  const refused = reads.filter(isRefused)
  return throughGate(context.pool, 'shared', async (client) => {
    const marks = await runOne(client, readMarks, undefined)
    if (!marks) throw new Error('the database has no deployment: start Farthing first')
    if (marks.priceVersion !== context.priceVersion) throw new NewerPrices()
    context.onMarks(marks)
    const stored = await commitEvents(client, marks, candidates, refused, refusedConflict)
    const remaining = stored.values()
    return reads.map((read) => (isRefused(read) ? resultOfRefused(read) : remaining.next().value!))
  })
}

/** What passed every check of ours and still cannot be stored: the server's reason is the detail. */
async function storeUnstorable(context: StoreGroupContext, read: Read): Promise<readonly EventResult[]> {
  const { account, source, id } = read
  const detail = 'The database cannot store this event: send it in another form, and report this.'
  const refused: RefusedEvent = {
    outcome: 'rejected',
    account,
    source,
    id,
    code: 'event/unstorable',
    detail,
    body: '',
  }
  return storeOnce(context, [refused])
}

function resultOfRefused({ id, code, detail }: RefusedEvent): EventResult {
  return { outcome: 'rejected', id, code, detail }
}

async function ensureDays({ pool, days }: StoreGroupContext, reads: readonly Read[]): Promise<void> {
  for (const read of reads) {
    const day = dayOf(read)
    if (day === undefined || days.has(day)) continue
    await run(pool, addEventDay, { day })
    days.add(day)
  }
}
