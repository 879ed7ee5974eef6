import type { UsageEvent } from '../ingest/event.ts'
import { plain } from '../money/decimal.ts'
import type { Assessment, Charge } from '../rate/assess.ts'
import { formatHour, type Hour } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import { countOf, readablePer } from './readable-text.ts'

/** What is known of one stored event. */
export interface EventFacts {
  readonly event: UsageEvent
  readonly receivedAt: Instant
  /** The hour in whose bill it counts. */
  readonly cycle: Hour
  /** `open`: the cycle still takes usage; `sealed`: it does not, and has no bill yet; `settled`: it is done. */
  readonly state: 'open' | 'sealed' | 'settled'
  /** The hour of the copy of the same identity that counts instead of this one; null: this one counts. */
  readonly copyOf: Hour | null
  /** The cycle had been settled when the event came, and the account had not used it. */
  readonly isHistory: boolean
  /** Under the prices of its cycle; the newest ones while it is open. */
  readonly assessment: Assessment
  readonly currency: string
  /** The cycle's bill, if there is one, and the numbers of the lines that the event is on. */
  readonly bill: { readonly id: string; readonly issuedAt: Instant; readonly lines: readonly number[] } | null
}

/** One thing that happened to an event, or was decided about it. */
export interface Step {
  /** When, if that is known. */
  readonly at: string | null
  readonly text: string
}

/** What became of an event, in the order in which it did. */
export function storyOf(facts: EventFacts): readonly Step[] {
  return [received(facts), counted(facts), ...assessed(facts), billed(facts)].map(({ at, text }) => ({
    at: at === undefined ? null : formatInstant(at),
    text,
  }))
}

interface Told {
  readonly at?: Instant
  readonly text: string
}

function received({ event, receivedAt }: EventFacts): Told {
  return { at: receivedAt, text: `Received from ${event.source}, and stored.` }
}

function counted({ event, cycle, isHistory, copyOf }: EventFacts): Told {
  const own = `It happened at ${formatInstant(event.at)}, in the hour ${formatHour(event.hour)}`
  if (copyOf !== null) return { text: `${own}.` }
  if (cycle !== event.hour) {
    return {
      text: `${own}, which had been closed: it counts as late usage in the bill of ${formatHour(cycle)}.`,
    }
  }
  if (isHistory)
    return { text: `${own}, which had passed without usage of the account: it is billed on its own.` }
  return { text: `${own}, and counts there.` }
}

function assessed({ event, assessment, currency, copyOf }: EventFacts): readonly Told[] {
  if (copyOf !== null) {
    const counts = `the event of this source and id in the hour ${formatHour(copyOf)} counts`
    return [{ text: `A copy under another time: ${counts}, so this one is never billed.` }]
  }
  switch (assessment.outcome) {
    case 'rejected':
      return [{ text: `The prices of its hour cannot charge it: ${assessment.rejection.detail}` }]
    case 'held':
      return [{ text: `Held: ${assessment.detail} It is kept, and billed once the price book covers it.` }]
    case 'accepted':
      if (assessment.charges.length > 0)
        return assessment.charges.map((charge) => charged(event, charge, currency))
      return [{ text: withoutFee(event) }]
  }
}

function withoutFee({ usage, at }: UsageEvent): string {
  if (usage?.component !== 'storage') {
    return `${usage?.operation ?? 'The operation'} is known and has no fee: it is counted, and is on no line.`
  }
  const place = [usage.project, usage.dataset].filter((name) => name !== null).join('/')
  const series = place === '' ? 'The account' : place
  return `${series} stores ${countOf(plain(usage.bytes), 'byte')} from ${formatInstant(at)} on, until its next level.`
}

function charged({ usage }: UsageEvent, charge: Charge, currency: string): Told {
  const { rate, term, quantity, waived } = charge
  const place = `${rate.item}/${rate.rate}`
  const isBilled = plain(waived) === '0'
  if (!isBilled) {
    const why = usage?.component === 'request' ? `status ${usage.status} is not billed` : 'it failed'
    return {
      text: `${countOf(plain(waived), rate.baseUnit)} under ${place}, counted and not billed: ${why}.`,
    }
  }
  const cost =
    term.kind === 'free'
      ? `free ${term.reason}`
      : `${plain(term.unitPrice)} ${currency} per ${readablePer(rate.pricingUnit)}`
  return { text: `${countOf(plain(quantity), rate.baseUnit)} under ${place}, at ${cost}.` }
}

function billed({ event, state, bill, assessment, copyOf }: EventFacts): Told {
  if (bill !== null && bill.lines.length > 0) {
    const lines = bill.lines.length === 1 ? 'line' : 'lines'
    return { at: bill.issuedAt, text: `On the bill ${bill.id}, in ${lines} ${bill.lines.join(', ')}.` }
  }
  if (state === 'open') return { text: 'Its hour is open: the bill comes within an hour after its end.' }
  if (state === 'sealed') return { text: 'Its hour is sealed: the bill is being made.' }
  const isLevel = event.usage?.component === 'storage' && assessment.outcome === 'accepted' && copyOf === null
  if (isLevel)
    return { text: 'Settled: the lines of storage of this hour and the next ones are made from it.' }
  return { text: 'Settled: it is on no line.' }
}
