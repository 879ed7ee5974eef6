import type { Charge } from '../rate/rating/assess.ts'
import { type Decimal, negated, plain } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import type { Hour } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import { billId } from '../bill/bill-id.ts'
import type { StoredSpan } from './stored-spans.ts'

/** A stored event, with texts as they were kept. */
export interface KeptText {
  readonly at: Instant
  readonly receivedAt: Instant
  readonly id: string
  readonly source: string
  readonly type: string
  /** RFC 8785 forms. */
  readonly data: string
  readonly attributes: string | null
}

/** An event as the CloudEvent that it was, its time in UTC and whole milliseconds. */
export function cloudEventView(account: string, event: KeptText) {
  const others = event.attributes === null ? {} : (JSON.parse(event.attributes) as { [key: string]: Json })
  return {
    ...others,
    specversion: '1.0' as const,
    id: event.id,
    source: event.source,
    type: event.type,
    subject: account,
    time: formatInstant(event.at),
    data: JSON.parse(event.data) as Json,
  }
}

/** Was it voided, and does the line give back what it had been billed? Its quantities are negative then. */
interface TakenBack {
  readonly isTakenBack: boolean
}

/** An event behind a line, and what it adds to the line. */
export function lineEventView(account: string, event: KeptText & TakenBack, { quantity, waived }: Charge) {
  return {
    kind: 'event' as const,
    voided: event.isTakenBack,
    event: cloudEventView(account, event),
    receivedAt: formatInstant(event.receivedAt),
    quantity: plain(quantity),
    waived: plain(waived),
  }
}

/**
 * A level behind a line of storage: quantity is its bytes x the milliseconds of [from, to); 0 where the line reverses it,
 * since what it had come to was billed before.
 */
export function lineLevelView({ level, from, to, quantity, isTakenBack }: StoredSpan & TakenBack) {
  return {
    kind: 'level' as const,
    voided: isTakenBack,
    id: level.id,
    source: level.source,
    time: formatInstant(level.at),
    dataset: level.dataset,
    bytes: plain(level.bytes),
    from: formatInstant(from),
    to: formatInstant(to),
    quantity: plain(quantity),
  }
}

/** A line of an older bill, whose quantity a line of storage takes off. */
export interface Billed {
  /** The cycle of its bill. */
  readonly hour: Hour
  readonly number: number
  readonly issuedAt: Instant
  readonly quantity: Decimal
}

/** What was billed before, behind a line that corrects it: with the opposite quantity. */
export function billedBeforeView(account: string, { hour, number, issuedAt, quantity }: Billed) {
  return {
    kind: 'billed' as const,
    bill: billId(account, hour),
    line: number,
    issuedAt: formatInstant(issuedAt),
    quantity: plain(negated(quantity)),
  }
}
