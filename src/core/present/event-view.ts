import type { Charge } from '../rate/rating/assess.ts'
import { plain } from '../money/decimal.ts'
import type { Json } from '../text/canonical-json.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
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

/** Was it taken back, and does the line give back what it had been billed? Its quantities are negative then. */
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

/** A level behind a line of storage: quantity is its bytes x the milliseconds of [from, to). */
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
