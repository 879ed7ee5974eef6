import { quoteView } from '../../core/present/quote-view.ts'
import { formatHourStart, next } from '../../core/time/hour.ts'
import type { TriedEvent, TriedEvents } from '../../flows/ingest/dry-run.ts'

export function dryRunView({ currency, priceVersion, events }: TriedEvents) {
  return {
    dryRun: true as const,
    currency,
    events: events.map((event, index) => triedView(event, index, priceVersion)),
  }
}

function triedView(event: TriedEvent, index: number, priceVersion: number) {
  const { id, outcome, code, detail, cycle, quotes } = event
  return {
    index,
    id,
    outcome,
    code,
    detail,
    cycle: cycle && {
      from: formatHourStart(cycle.cycle),
      to: formatHourStart(next(cycle.cycle)),
      disposition: cycle.disposition,
    },
    charges: quotes.map((quote) => quoteView(quote, priceVersion)),
  }
}
