import { cloudEventView } from '../../core/present/event-view.ts'
import { type BillOfEvent, timelineOf, type VoidFacts } from '../../core/present/event-timeline.ts'
import { effectOf } from '../../core/present/void-view.ts'
import { formatHourStart, type Hour, next } from '../../core/time/hour.ts'
import { formatInstant } from '../../core/time/instant.ts'
import { type ExplainedEvent, explainEvent } from '../../flows/read/explain-event.ts'
import { GetEvents, type StoredEvent } from '../../api/events.ts'
import { accountOf } from '../access.ts'
import { HttpProblem } from '../api/problem.ts'
import { readHourRange } from '../api/parameters.ts'
import { route } from '../route.ts'
import { refusedView } from './unbilled.ts'

export const getEvents = route({
  ...GetEvents,
  access: { scope: 'usage:read', boundKeys: 'own' },
  async handle({ query, key }, { reading }) {
    const account = accountOf(key, query.account)
    if (account === undefined) {
      throw new HttpProblem('request/missing_parameter', 'The parameter account is missing: say whose event.')
    }
    const { id, source } = query
    const find = { account, id, source, ...readHourRange(query) }
    const { stored, refused } = await explainEvent(reading, find)
    return { stored: stored.map((event) => storedView(account, event)), refused: refused.map(refusedView) }
  },
})

function storedView(account: string, { copy, facts }: ExplainedEvent): StoredEvent {
  const { hour } = copy
  const { cycle } = facts
  return {
    event: cloudEventView(account, copy),
    receivedAt: formatInstant(copy.receivedAt),
    cycle: rangeOf(cycle),
    late: cycle > hour,
    outcome: facts.duplicateOf === null ? facts.assessment.outcome : 'conflict',
    state: facts.state,
    bill: facts.bill?.id ?? null,
    lines: numbersOf(facts.bill),
    voided: facts.voided && voidedView(facts.voided),
    steps: timelineOf(facts),
  }
}

function voidedView(taken: VoidFacts) {
  const { cycle, orderedAt, orderedBy, reason, bill } = taken
  return {
    at: formatInstant(orderedAt),
    by: orderedBy,
    reason,
    effect: effectOf(taken),
    cycle: rangeOf(cycle),
    bill: bill?.id ?? null,
    lines: numbersOf(bill),
  }
}

function numbersOf(bill: BillOfEvent | null): number[] {
  return bill?.lines.map(({ number }) => number) ?? []
}

function rangeOf(hour: Hour) {
  return { from: formatHourStart(hour), to: formatHourStart(next(hour)) }
}
