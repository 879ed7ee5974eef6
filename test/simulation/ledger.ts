import { isDeepStrictEqual } from 'node:util'
import type { Outcome } from '../../src/flows/ingest/ingest-types.ts'
import type { Database } from './books.ts'
import type { Sent } from './history.ts'
import type { AccountNews } from './registrar.ts'

/** What a producer was told about one event, each time that it was told something. */
export interface Answer {
  readonly event: Sent
  readonly outcome: Outcome
  /** By the clock that the process knew, usage of the future, perhaps: then it may be taken later. */
  readonly mayBeAhead?: boolean
  /** Of a refusal. */
  readonly code?: string | null
  /** What had been answered about its account when it was sent; undefined: nothing is said about accounts. */
  readonly before?: AccountNews
  /** The same, with what may be in force without an answer, when it was answered. */
  readonly meanwhile?: AccountNews
}

interface Kept {
  readonly account: string
  readonly source: string
  readonly id: string
  readonly hour: number
  readonly at: string
  readonly type: string
  readonly data: string
  /** Held, or voided: on no bill for its sender to be surprised by. */
  readonly unbilled: boolean
}

const HOUR_MS = 3_600_000

/**
 * Is what the database keeps what producers were told? Each answer is held against the stored event of its identity and
 * hour.
 * @returns empty when all answers are true, and nothing is stored that nobody sent
 */
export async function checkAnswers(
  database: Database,
  answers: readonly Answer[],
): Promise<readonly string[]> {
  const { rows } = await database.query(
    `select account, source, id, hour, at, type, data,
            exists (select from held_event h where (h.hour, h.account, h.id, h.source) = (e.hour, e.account, e.id, e.source))
            or exists (select from voided_event v
                        where (v.hour, v.account, v.id, v.source) = (e.hour, e.account, e.id, e.source)) as unbilled
       from usage_event e`,
  )
  const kept = new Map(
    (rows as Kept[]).map((row) => [nameOf(row.account, row.source, row.id, row.hour), row]),
  )
  const named = new Map<string, Answer[]>()
  for (const answer of answers) {
    const { subject, source, id, time } = answer.event
    const name = nameOf(subject, source, id, Math.floor(Date.parse(time) / HOUR_MS))
    named.set(name, [...(named.get(name) ?? []), answer])
  }
  const unsent = [...kept]
    .filter(([name, { source }]) => !named.has(name) && !isEnd(source))
    .map(([name]) => name)
  return [
    ...unsent.map((name) => `${name} is stored, and nobody sent it`),
    ...[...named].flatMap(([name, group]) => checkGroup(name, group, kept.get(name))),
  ]
}

/** A level of 0 bytes that Farthing adds for a closed account: the auditor says whether it is right. */
function isEnd(source: string): boolean {
  return source.endsWith('farthing:closed')
}

function nameOf(account: string, source: string, id: string, hour: number): string {
  return JSON.stringify([account, source, id, hour])
}

function checkGroup(name: string, answers: readonly Answer[], kept: Kept | undefined): readonly string[] {
  const stored = answers.filter(({ outcome }) => outcome === 'accepted' || outcome === 'held')
  const twice = stored.length > 1 ? [`${name} was accepted ${stored.length} times`] : []
  const untrue = answers.filter((answer) => !isTrue(answer, kept))
  return [...twice, ...untrue.map(({ outcome }) => `${name}: the answer ${outcome} is not true`)]
}

function isTrue(answer: Answer, kept: Kept | undefined): boolean {
  const { event, outcome, code, mayBeAhead, before, meanwhile } = answer
  const same = kept && isSame(kept, event)
  const at = Date.parse(event.time)
  if (code === 'event/account_closed') return at >= (meanwhile?.closedAt ?? Infinity)
  if (code === 'event/unknown_account') return before?.isKnown === false
  // A retry of what was taken before the closing is the duplicate that it is.
  const isTaken = outcome !== 'rejected' && outcome !== 'duplicate'
  if (isTaken && at >= (before?.closedAt ?? Infinity)) return false
  // What is held may be sent again under a price book that knows what it lacks.
  if (outcome === 'rejected') return same !== true || kept.unbilled || mayBeAhead === true
  if (outcome === 'conflict') return same === false
  return same === true
}

function isSame(kept: Kept, sent: Sent): boolean {
  return (
    kept.type === sent['type'] &&
    Number(kept.at) === Date.parse(sent.time) &&
    isDeepStrictEqual(JSON.parse(kept.data), sent['data'])
  )
}
