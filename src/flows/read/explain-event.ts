import { bucketOf } from '../../core/ingest/bucket.ts'
import type { UsageEvent } from '../../core/ingest/event.ts'
import type { BillLine } from '../../core/bill/bill.ts'
import type { CycleState, EventFacts, VoidFacts } from '../../core/present/event-timeline.ts'
import { type EffectiveTerm, effectiveTerm } from '../../core/rate/rating/account-prices.ts'
import { assess, type Assessment } from '../../core/rate/rating/assess.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { findConflictEvent, findDuplicates, type FoundDuplicate } from '../../store/conflicts.ts'
import { findHeldEvent } from '../../store/held-events.ts'
import { findLines } from '../../store/bill-lines.ts'
import { findReleasedEvents } from '../../store/releases.ts'
import { findSettledHour } from '../../store/settled-hours.ts'
import { findVoid, type VoidedEvent } from '../../store/voids.ts'
import type { Watermarks } from '../../store/deployment.ts'
import { findBillRow, type FindBillRow } from '../../store/bills.ts'
import { listEventDays } from '../../store/usage-events.ts'
import { listRefusedEventRows, type RefusedRow } from '../../store/refusals.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { loadPricing, type LoadPricing } from '../accounts/account-pricing.ts'
import { findDeployment, readWatermarks } from '../shared/read-deployment.ts'
import { levelInstead } from './explain-level.ts'
import { isUnder, usageEvent } from './read-line-events.ts'
import { bookOf } from '../prices/read-price-version.ts'

/** Duplicates, and refused duplicates, that are shown of one id. */
export const DUPLICATES_SHOWN_MAX = 100
/** Days that one look-up searches, the newest first: about two years of daily usage. */
export const DAYS_SEARCHED_MAX = 800
/** Days of one statement: it opens their partitions, and no others. */
const DAYS_AT_ONCE = 62

export interface FindEvent {
  readonly account: string
  readonly id: string
  /** Undefined: from any source. */
  readonly source: string | undefined
  /** Hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
}

/** A stored event and everything that became of it. */
export interface ExplainedEvent {
  readonly copy: FoundDuplicate
  readonly facts: EventFacts
}

export interface FoundEvents {
  /** Latest hour first. */
  readonly stored: readonly ExplainedEvent[]
  /** Newest first. */
  readonly refused: readonly RefusedRow[]
}

/** What became of the events of an account with an id: each stored one, and each that was not accepted. */
export async function explainEvent(sql: Sql, find: FindEvent): Promise<FoundEvents> {
  const duplicates = await searchDuplicates(sql, find, DUPLICATES_SHOWN_MAX)
  const refused = await run(sql, listRefusedEventRows, {
    ...find,
    before: undefined,
    limit: DUPLICATES_SHOWN_MAX,
  })
  const [watermarks, { currency }] = [await readWatermarks(sql), await findDeployment(sql)]
  const stored: ExplainedEvent[] = []
  for (const copy of duplicates) {
    stored.push({ copy, facts: await factsOf(sql, find.account, copy, { watermarks, currency }) })
  }
  return { stored, refused }
}

/** The stored events of an id, latest hour first: those of at most `DAYS_SEARCHED_MAX` days. */
export async function searchDuplicates(
  sql: Sql,
  { account, id, source, from, to }: FindEvent,
  limit: number,
): Promise<readonly FoundDuplicate[]> {
  const all = await run(sql, listEventDays, undefined)
  const days = all.filter((day) => day * 24 < to && (day + 1) * 24 > from).slice(0, DAYS_SEARCHED_MAX)
  const found: FoundDuplicate[] = []
  for (let start = 0; start < days.length && found.length < limit; start += DAYS_AT_ONCE) {
    const ascending = days.slice(start, start + DAYS_AT_ONCE).reverse()
    const search = { bucket: bucketOf(account), account, id, source, days: ascending, limit }
    found.push(...(await run(sql, findDuplicates, search)))
  }
  return found.filter(({ hour }) => hour >= from && hour < to).slice(0, limit)
}

interface Around {
  readonly watermarks: Watermarks
  readonly currency: string
}

async function factsOf(sql: Sql, account: string, copy: FoundDuplicate, around: Around): Promise<EventFacts> {
  const bucket = bucketOf(account)
  const key = { hour: copy.hour, bucket, account, id: copy.id, source: copy.source }
  const [released] = await run(sql, findReleasedEvents, [key])
  const cycle = released?.cycle ?? copy.cycle
  const { bill, version, state } = await cycleOf(sql, around, { hour: cycle, bucket, account })
  const { book, lists } = await bookOf(sql, version)
  const event = usageEvent(book, account, copy)
  const held = await runOne(sql, findHeldEvent, key)
  const assessment: Assessment = held ? { outcome: 'held', ...held } : assess(book, event)
  const duplicateOf = (await runOne(sql, findConflictEvent, { ...key, cycle: copy.cycle })) ?? null
  const taken = await runOne(sql, findVoid, key)
  const isOnBill = bill !== undefined && duplicateOf === null && taken?.cycle !== cycle
  const own = copy.cycle
  const isLevel = held === undefined && duplicateOf === null && taken === undefined
  return {
    event,
    receivedAt: copy.receivedAt,
    cycle,
    state,
    isBackfill: bill?.late === true || (state !== 'settled' && cycle < around.watermarks.settledUntil),
    heldSince: held?.heldAt ?? null,
    heldIn: released ? { cycle: own, detail: await heldDetail(sql, account, copy) } : null,
    assessment,
    paid: await paidFor(
      sql,
      { book, lists, hour: cycle, accounts: [{ bucket, account }] },
      event,
      assessment,
    ),
    currency: around.currency,
    duplicateOf,
    levelInstead: isLevel ? await levelInstead(sql, book, event) : null,
    bill: isOnBill ? await shownBill(sql, bill, event, assessment) : null,
    voided: taken ? await voidFacts(sql, around, taken, event, assessment) : null,
  }
}

/** What the account pays for each charge, under the prices of the cycle. */
async function paidFor(
  sql: Sql,
  load: LoadPricing,
  { account, hour }: UsageEvent,
  assessment: Assessment,
): Promise<readonly EffectiveTerm[]> {
  if (assessment.outcome !== 'accepted' || assessment.charges.length === 0) return []
  const prices = (await loadPricing(sql, load)).pricesOf(account)
  return assessment.charges.map(({ rate }) => effectiveTerm(prices, rate, hour))
}

/** Where a cycle of an account stands, and by which prices it was settled; null: it was not. */
async function cycleOf(sql: Sql, { watermarks }: Around, key: FindBillRow) {
  const bill = await runOne(sql, findBillRow, key)
  const withoutBill = bill ? undefined : await runOne(sql, findSettledHour, key)
  const version = bill?.priceVersion ?? withoutBill ?? null
  const unsettled: CycleState = key.hour < watermarks.sealedUntil ? 'sealed' : 'open'
  return { bill, version, state: version === null ? unsettled : 'settled' } as const
}

/** Why an event that was released later had been held in its own cycle; null: that is not settled yet. */
async function heldDetail(sql: Sql, account: string, copy: FoundDuplicate): Promise<string | null> {
  const key = { hour: copy.cycle, bucket: bucketOf(account), account }
  const bill = await runOne(sql, findBillRow, key)
  const version = bill?.priceVersion ?? (await runOne(sql, findSettledHour, key))
  if (version === undefined) return null
  const { book } = await bookOf(sql, version)
  const assessment = assess(book, usageEvent(book, account, copy))
  return assessment.outcome === 'held' ? assessment.detail : null
}

async function voidFacts(
  sql: Sql,
  around: Around,
  { bucket, account, cycle, counted, orderedAt, orderedBy, reason }: VoidedEvent & { readonly cycle: Hour },
  event: UsageEvent,
  assessment: Assessment,
): Promise<VoidFacts> {
  const { bill, state } = await cycleOf(sql, around, { hour: cycle, bucket, account })
  const isGivenBack = bill !== undefined && counted !== null && counted < cycle
  const shown = isGivenBack ? await shownBill(sql, bill, event, assessment) : null
  return { cycle, counted, orderedAt, orderedBy, reason, state, bill: shown }
}

async function shownBill(sql: Sql, bill: StoredBill, event: UsageEvent, assessment: Assessment) {
  const lines = await linesOf(sql, bill, event, assessment)
  return { id: bill.id, issuedAt: bill.issuedAt, lines }
}

async function linesOf(
  sql: Sql,
  bill: StoredBill,
  { hour, usage }: UsageEvent,
  assessment: Assessment,
): Promise<readonly BillLine[]> {
  if (usage === undefined || assessment.outcome !== 'accepted') return []
  const { component, project, region } = usage
  const operation = usage.component === 'storage' ? null : usage.operation
  const lines = await run(sql, findLines, { bill, usageHour: hour, component, operation, project, region })
  if (component === 'storage') return lines
  const { charges } = assessment
  return lines.filter((line) => charges.some((charge) => isUnder(charge, line)))
}
