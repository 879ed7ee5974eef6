import { setTimeout as sleep } from 'node:timers/promises'
import { groupBy } from '../../core/group-by.ts'
import { monthOf } from '../../core/time/calendar-month.ts'
import type { Hour } from '../../core/time/hour.ts'
import { FEW_EVENTS, insertLiveEvents } from '../../store/events-table.ts'
import { run } from '../../store/query.ts'
import { sqlState } from '../../store/transaction.ts'
import { insertEventTable } from '../../store/usage-events.ts'
import { noteTypes } from './note-types.ts'
import { compareKeys, resultOfNew } from './classify.ts'
import { type CommitContext, commitOnce, HourClosed, type Results, type RulesChanged } from './commit-once.ts'
import { isRefused, type Parsed, type ParsedEvent, type ParsedRefusal } from './parse.ts'

/** UTC days that one transaction may write to: it opens a partition for each. Of refused events, months that it looks at. */
export const DAYS_PER_TRANSACTION_MAX = 62
/** Lanes that hold each other's repeats lose to each other again and again, unless they step aside for a moment. */
const ATTEMPTS_MAX = 30
const STEP_ASIDE_MS = 10
const HOURS_PER_DAY = 24

/** Another transaction took a key of a note first, a deadlock, a serialization failure, or a lock held too long. */
const TRY_AGAIN = /^(?:23505|40P01|40001|55P03)$/
/** A value that cannot be stored, or more than the server's memory: one event is the culprit. */
const DATA_ERROR = /^(?:22|53200|54)/
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Store a group of parsed events durably: in one transaction if it touches at most 62 days. A group that fails by the data
 * of one event is halved until that event stands alone, and is refused alone.
 * @param results filled in with what is durable, also where this ends early
 * @returns undefined: every event has its result; otherwise which rules have changed since the events were parsed: parse
 *   again what has no result
 * @throws whatever the database fails with otherwise: then some may be stored, and a repetition is harmless
 */
export async function commitGroup(
  context: CommitContext,
  events: readonly Parsed[],
  results: Results,
): Promise<RulesChanged | undefined> {
  for (const slice of sliceByDays(events)) {
    const changed = await commitSlice(context, slice, results)
    if (changed) return changed
  }
  return undefined
}

/** As few slices as fit. What is stored with an event is in its slice. */
function sliceByDays(events: readonly Parsed[]): readonly (readonly Parsed[])[] {
  if (events.length === 0) return []
  if (daysOfAll(events).size <= DAYS_PER_TRANSACTION_MAX) return [events]
  const slices: Parsed[][] = []
  let days = new Set<number>()
  for (const group of groupBy(events, (event) => daysOf(event).join(' ')).values()) {
    const own = daysOf(group[0]!)
    const all = new Set([...days, ...own])
    const isFull = all.size > DAYS_PER_TRANSACTION_MAX || slices.length === 0
    if (isFull) slices.push([])
    days = isFull ? new Set(own) : all
    slices.at(-1)!.push(...group)
  }
  return slices
}

function daysOfAll(events: readonly Parsed[]): ReadonlySet<number> {
  const days = new Set<number>()
  for (const event of events) for (const day of daysOf(event)) days.add(day)
  return days
}

/** The days that are written to for an event; for a refused one, the month that is looked at, as a number that is no day. */
function daysOf(event: Parsed): readonly number[] {
  if (isRefused(event)) return event.event ? [-1 - monthOf(event.event.hour)] : []
  return hoursOf(event).map((hour) => Math.floor(hour / HOURS_PER_DAY))
}

function hoursOf({ hour, ending }: ParsedEvent): readonly Hour[] {
  return ending ? [hour, ending.hour] : [hour]
}

async function commitSlice(
  context: CommitContext,
  events: readonly Parsed[],
  results: Results,
): Promise<RulesChanged | undefined> {
  await ensureDays(context, events)
  await noteTypes(context, events)
  const rest = await commitLive(context, events, results)
  for (let attempt = 1; rest.length > 0; attempt++) {
    try {
      return await commitOnce(context, rest, results)
    } catch (error) {
      if (canTryAgain(error) && attempt < ATTEMPTS_MAX) {
        await sleep(Math.random() * STEP_ASIDE_MS * attempt)
        continue
      }
      if (!DATA_ERROR.test(sqlState(error) ?? '')) throw error
      if (rest.length === 1) return commitUnstorable(context, rest[0]!, results)
      return commitHalves(context, rest, results)
    }
  }
  return undefined
}

function canTryAgain(error: unknown): boolean {
  return error instanceof HourClosed || TRY_AGAIN.test(sqlState(error) ?? '')
}

async function commitHalves(
  context: CommitContext,
  events: readonly Parsed[],
  results: Results,
): Promise<RulesChanged | undefined> {
  const middle = events.length >> 1
  const halves = [events.slice(0, middle), events.slice(middle)]
  for (const half of halves) {
    const changed = await commitSlice(context, half, results)
    if (changed) return changed
  }
  return undefined
}

/**
 * The short way for few events that need nothing but their rows, as nearly all do: one statement, one message.
 * @returns the events that have to go the long way: all, if the short way is closed to them or the deployment has moved
 *   on; those that are stored already, whose content has to be compared; or none
 */
async function commitLive(
  { pool, priceVersion, accountsVersion, onClock }: CommitContext,
  events: readonly Parsed[],
  results: Results,
): Promise<readonly Parsed[]> {
  if (events.length === 0 || events.length > FEW_EVENTS || !events.every(isPlain)) return events
  const sorted = events.toSorted(compareKeys)
  const isTwice = sorted.some((event, index) => index > 0 && compareKeys(sorted[index - 1]!, event) === 0)
  if (isTwice) return events
  try {
    const live = await insertLiveEvents(pool, sorted, { priceVersion, accountsVersion })
    if (live === undefined) return events
    onClock(live.now)
    const present = new Set<Parsed>(live.present.map((index) => sorted[index]!))
    for (const event of events) if (!present.has(event)) results.set(event, resultOfNew(event))
    return [...present]
  } catch (error) {
    const state = sqlState(error) ?? ''
    // The long way takes the gate from a session that holds it too long, and finds the event that cannot be stored.
    if (state === LOCK_NOT_AVAILABLE || DATA_ERROR.test(state) || canTryAgain(error)) return events
    throw error
  }
}

function isPlain(event: Parsed): event is ParsedEvent {
  return !isRefused(event) && event.ending === undefined && event.assessment.outcome === 'accepted'
}

/** Refuse what passed every check of ours and still cannot be stored. None of its text is kept. */
async function commitUnstorable(
  context: CommitContext,
  event: Parsed,
  results: Results,
): Promise<RulesChanged | undefined> {
  const { account, source, id } = event
  const detail = 'The database cannot store this event: send it in another form, and report this.'
  const refusal: ParsedRefusal = {
    outcome: 'rejected',
    account,
    source,
    id,
    code: 'event/unstorable',
    detail,
    body: '',
  }
  const own: Results = new Map()
  const changed = await commitOnce(context, [refusal], own)
  if (!changed) results.set(event, own.get(refusal)!)
  return changed
}

async function ensureDays({ pool, days }: CommitContext, events: readonly Parsed[]): Promise<void> {
  for (const event of events) {
    if (isRefused(event)) continue
    for (const hour of hoursOf(event)) {
      if (days.has(Math.floor(hour / HOURS_PER_DAY))) continue
      for (const { from, to } of await run(pool, insertEventTable, { hour })) {
        for (let day = from / HOURS_PER_DAY; day * HOURS_PER_DAY < to; day++) days.add(day)
      }
    }
  }
}
