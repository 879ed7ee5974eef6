import type { UsageEvent } from '../../core/ingest/event.ts'
import { reread } from '../../core/ingest/reread.ts'
import { assess, type Assessment, heldSubject } from '../../core/rate/rating/assess.ts'
import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { SettledEvent } from '../../store/event-row.ts'
import type { HeldEvent } from '../../store/held-events.ts'

export interface Judged<Stored extends SettledEvent> {
  readonly stored: Stored
  readonly event: UsageEvent
  readonly assessment: Assessment
}

/** What a stored event is worth under a price book that may be newer than itself. */
export function judge<Stored extends SettledEvent>(book: PriceBook, stored: Stored): Judged<Stored> {
  const event = { ...stored, usage: reread(book.eventTypes, stored.type, stored.data) }
  return { stored, event, assessment: assess(book, event) }
}

/** Why the price book does not cover a stored event; undefined: it does. */
export function whyHeld({
  event,
  assessment,
}: Judged<SettledEvent>): Pick<HeldEvent, 'code' | 'subject' | 'detail'> | undefined {
  if (assessment.outcome === 'accepted') return undefined
  const { code, detail } =
    assessment.outcome === 'held'
      ? assessment
      : ({ code: 'held/missing_unit', detail: assessment.rejection.detail } as const)
  return { code, subject: heldSubject(event, code), detail }
}
