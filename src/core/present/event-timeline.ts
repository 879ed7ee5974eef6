import type { BillLine } from '../bill/bill.ts'
import { isReservedSource } from '../ingest/ended-level.ts'
import type { UsageEvent } from '../ingest/event.ts'
import type { RejectionCode } from '../ingest/rejection.ts'
import { isZero, plain } from '../money/decimal.ts'
import type { EffectiveTerm } from '../rate/rating/account-prices.ts'
import type { Assessment, HeldCode } from '../rate/rating/assess.ts'
import { formatHour, type Hour } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import { type NotChargedCode, saidOfCharge, saidOfNoFee } from './not-charged.ts'
import { lineFormula } from './line-formula.ts'
import { agree, countOf, readableNumber } from './readable-text.ts'
import { effectOf, type VoidPlace } from './void-view.ts'

/** `open`: the cycle still takes usage; `sealed`: it does not, and has no bill yet; `settled`: it is done. */
export type CycleState = 'open' | 'sealed' | 'settled'

/** A bill, and the numbers of the lines that an event is on; or that give it back. */
export interface BillOfEvent {
  readonly id: string
  readonly issuedAt: Instant
  readonly lines: readonly BillLine[]
}

/** Lines of a bill whose arithmetic is told: an event is on a few, and on one more for each tier. */
const LINES_TOLD_MAX = 20

/** What is known of one stored event. */
export interface EventFacts {
  readonly event: UsageEvent
  readonly receivedAt: Instant
  /** The hour in whose bill it counts; of a held event that was released, the one into which it was. */
  readonly cycle: Hour
  readonly state: CycleState
  /** The hour of the event of the same identity that counts instead of this one; null: this one counts. */
  readonly duplicateOf: Hour | null
  /** The cycle had been settled when the event came, and the account had not used it. */
  readonly isBackfill: boolean
  /** It is held; null: it is not. */
  readonly heldSince: Instant | null
  /** It was held when this older cycle was settled, and was released later. `detail`: why, if that is known. */
  readonly heldIn: { readonly cycle: Hour; readonly detail: string | null } | null
  /** A level: the event whose level is in force instead at the same instant; null: it is no level, or is in force. */
  readonly levelInstead: Pick<UsageEvent, 'source' | 'id'> | null
  /** Under the prices of its cycle; the newest ones while it is open. */
  readonly assessment: Assessment
  /** What the account pays for each charge of the assessment, in the same order. */
  readonly paid: readonly EffectiveTerm[]
  readonly currency: string
  /** The cycle's bill, if there is one and the event is on it. */
  readonly bill: BillOfEvent | null
  /** It was voided. */
  readonly voided: VoidFacts | null
}

/** When, by whom and why an event was voided, and what gives it back. */
export interface VoidFacts extends VoidPlace {
  readonly orderedAt: Instant
  readonly orderedBy: string
  readonly reason: string
  /** Of the cycle of the void. */
  readonly state: CycleState
  /** The bill that gives it back, once that is issued. */
  readonly bill: BillOfEvent | null
}

/** One thing that happened to an event, or was decided about it. */
export interface Step {
  /** When, if that is known. */
  readonly at: string | null
  /** Why nothing is charged, if the step says so: `not_charged/…`, or `held/…` of what is held. */
  readonly code: string | null
  readonly text: string
}

/** What became of an event, in the order in which it did. */
export function timelineOf(facts: EventFacts): readonly Step[] {
  const steps = [received(facts), counted(facts), ...assessed(facts), ...billed(facts), ...voidSteps(facts)]
  return steps.map(({ at, code, text }) => ({
    at: at === undefined ? null : formatInstant(at),
    code: code ?? null,
    text,
  }))
}

interface Told {
  readonly at?: Instant
  readonly code?: NotChargedCode | HeldCode | RejectionCode | null
  readonly text: string
}

function received({ event, receivedAt }: EventFacts): Told {
  if (isReservedSource(event.source)) {
    return { at: receivedAt, text: 'Added by Farthing: the account is closed, and what it stores ends here.' }
  }
  return { at: receivedAt, text: `Received from ${event.source}, and stored.` }
}

function counted({ event, cycle: counts, isBackfill, duplicateOf, heldIn }: EventFacts): Told {
  const cycle = heldIn?.cycle ?? counts
  const own = `It happened at ${formatInstant(event.at)}, in the hour ${formatHour(event.hour)}`
  if (duplicateOf !== null) return { text: `${own}.` }
  if (cycle !== event.hour) {
    return {
      text: `${own}, which had been closed: it counts as late usage in the bill of ${formatHour(cycle)}.`,
    }
  }
  if (isBackfill)
    return { text: `${own}, which had passed without usage of the account: it is billed on its own.` }
  return { text: `${own}, and counts there.` }
}

function assessed(facts: EventFacts): readonly Told[] {
  const { assessment, duplicateOf, cycle, heldIn, heldSince, voided } = facts
  if (duplicateOf !== null) {
    const counts = `the event of this source and id in the hour ${formatHour(duplicateOf)} counts`
    const text = `A duplicate under another time: ${counts}, so this one is never billed.`
    return [{ code: 'not_charged/duplicate_elsewhere', text }]
  }
  switch (assessment.outcome) {
    case 'rejected':
      return [
        {
          code: assessment.rejection.code,
          text: `The prices of its hour cannot charge it: ${assessment.rejection.detail}`,
        },
      ]
    case 'held':
      return [heldText(assessment, heldSince, voided !== null)]
    case 'accepted': {
      const released = heldIn === null ? [] : releasedText(heldIn, cycle)
      return [...released, ...chargesText(facts, assessment), ...neverInForce(facts)]
    }
  }
}

function chargesText(
  { event, paid, currency }: EventFacts,
  { charges, noFee }: Extract<Assessment, { outcome: 'accepted' }>,
): readonly Told[] {
  if (noFee === undefined) {
    return charges.map((charge, at) => saidOfCharge(event, { charge, terms: paid[at]!, currency }))
  }
  return [noFee === 'level' ? levelText(event) : saidOfNoFee(noFee, event)]
}

function heldText(
  { code, detail }: Extract<Assessment, { outcome: 'held' }>,
  since: Instant | null,
  isTakenBack: boolean,
): Told {
  const text = isTakenBack
    ? `Held: ${detail}`
    : `Held: ${detail} It is kept, and billed once a version of the price book that covers it is published.`
  return since === null ? { code, text } : { at: since, code, text }
}

function releasedText({ cycle, detail }: NonNullable<EventFacts['heldIn']>, into: Hour): readonly Told[] {
  const why = detail === null ? '' : `: ${detail}`
  return [
    { text: `It was held when its hour was sealed, and is not on the bill of ${formatHour(cycle)}${why}` },
    {
      text: `Released when the price book covered it: it counts in the bill of ${formatHour(into)}, at the price of its own hour.`,
    },
  ]
}

/** The event of a level: what it costs is on the lines of each hour. */
function levelText({ usage, at }: UsageEvent): Told {
  if (usage?.component !== 'storage') return { text: 'It is counted.' }
  const place = [usage.project, usage.dataset, usage.region].filter((name) => name !== null).join('/')
  const series = place === '' ? 'The account' : place
  const stored = countOf(plain(usage.bytes), 'byte')
  return { text: `${series} stores ${stored} from ${formatInstant(at)} on, until its next level.` }
}

function neverInForce({ levelInstead }: EventFacts): readonly Told[] {
  if (levelInstead === null) return []
  const { source, id } = levelInstead
  const text = `It is never in force: at the same instant the level of event ${id} from ${source} is, whose source and id are the greater by bytes.`
  return [{ code: 'not_charged/level_not_in_force', text }]
}

function billed(facts: EventFacts): readonly Told[] {
  const { event, state, bill, assessment, duplicateOf, cycle, voided, currency } = facts
  if (voided !== null && voided.cycle === cycle) return []
  if (bill !== null && bill.lines.length > 0) {
    const on = { at: bill.issuedAt, text: `On the bill ${bill.id}, in ${linesText(bill)}.` }
    return [on, ...bill.lines.slice(0, LINES_TOLD_MAX).map((line) => lineText(line, currency))]
  }
  if (state === 'open') return [{ text: 'Its hour is open: the bill comes within an hour after its end.' }]
  if (state === 'sealed') return [{ text: 'Its hour is sealed: the bill is being made.' }]
  const isLevel =
    event.usage?.component === 'storage' && assessment.outcome === 'accepted' && duplicateOf === null
  if (isLevel)
    return [{ text: 'Settled: the lines of storage of this hour and the next ones are made from it.' }]
  const { code, why } = whyOnNone(assessment, duplicateOf, cycle)
  return [{ code, text: `Settled: it is on no line${why}.` }]
}

/** What is charged and on no line was cancelled there, or was nothing. */
function whyOnNone(
  assessment: Assessment,
  duplicateOf: Hour | null,
  cycle: Hour,
): { readonly code: NotChargedCode | null; readonly why: string } {
  if (assessment.outcome !== 'accepted' || assessment.charges.length === 0 || duplicateOf !== null) {
    return { code: null, why: '' }
  }
  if (isNothing(assessment)) return { code: null, why: ', because its quantity is 0' }
  const why = ` of the bill of ${formatHour(cycle)}, because usage of the same line that was voided there cancels it`
  return { code: 'not_charged/netted_out', why }
}

function isNothing({ charges }: Extract<Assessment, { outcome: 'accepted' }>): boolean {
  return charges.every(({ quantity, waived }) => isZero(quantity) && isZero(waived))
}

function linesText({ lines }: BillOfEvent): string {
  return `${agree(lines.length, 'line', 'lines')} ${lines.map(({ number }) => number).join(', ')}`
}

/** `Line 2: tier 2, after 10 pages of the month, by price list partners: 2 pages × 2.7 = 5.4 USD (public price 3).` */
function lineText(line: BillLine, currency: string): Told {
  const { number, unit, tier, listTier, position, priceList, listPrice, unitPrice } = line
  const whichTier = tier === null ? `tier ${listTier} of the public price` : `tier ${tier}`
  const where = [
    ...(position === null ? [] : [`${whichTier}, after ${countOf(position, unit)} of the month`]),
    ...(priceList === null ? [] : [`by price list ${priceList}`]),
  ]
  const place = where.length === 0 ? '' : ` ${where.join(', ')}:`
  const listed = listPrice === unitPrice ? '' : `; the public price is ${readableNumber(listPrice)}`
  return { text: `Line ${number}:${place} ${lineFormula(line, { unit, currency })}${listed}.` }
}

function voidSteps({ event, assessment, duplicateOf, voided }: EventFacts): readonly Told[] {
  if (voided === null) return []
  const { orderedAt, orderedBy, reason } = voided
  const ordered = { at: orderedAt, text: `Voided by ${orderedBy}: ${reason}` }
  switch (effectOf(voided)) {
    case 'none': {
      const why = duplicateOf === null ? 'It had no price, and was on no bill' : 'It was on no bill'
      return [ordered, { code: 'not_charged/voided', text: `${why}: there is nothing to give back.` }]
    }
    case 'left_out':
      return [ordered, { code: 'not_charged/voided', text: leftOut(event, voided) }]
    case 'given_back':
      return [
        ordered,
        {
          code: 'not_charged/voided',
          ...givenBack(voided, event.usage?.component === 'storage', assessment),
        },
      ]
  }
}

function leftOut({ hour }: UsageEvent, { cycle }: VoidFacts): string {
  const bill = `the bill of ${formatHour(cycle)}`
  if (hour === cycle) return `That was in time: it is left out of ${bill}.`
  return `That was in time: late and voided in the same cycle, it is on no line of ${bill}, because the two cancel.`
}

function givenBack({ cycle, state, bill }: VoidFacts, isLevel: boolean, assessment: Assessment): Told {
  const charges = assessment.outcome === 'accepted' ? assessment.charges.length : 0
  if (assessment.outcome === 'accepted' && charges > 0 && isNothing(assessment)) {
    return { text: 'Its quantity is 0: there is nothing to give back.' }
  }
  if (charges === 0 && !isLevel) return { text: 'It has no fee: there is nothing to give back.' }
  const what = isLevel ? 'The storage of its hours is computed again' : 'It is given back'
  if (state !== 'settled')
    return { text: `${what} on the bill of ${formatHour(cycle)}, which is not issued yet.` }
  if (bill !== null && isLevel) return { at: bill.issuedAt, text: `${what} on the bill ${bill.id}.` }
  if (bill !== null && bill.lines.length > 0)
    return { at: bill.issuedAt, text: `Given back on the bill ${bill.id}, in ${linesText(bill)}.` }
  return { text: `${what} in ${formatHour(cycle)}, where other usage of the same line makes up for it.` }
}
