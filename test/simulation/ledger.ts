import { isDeepStrictEqual } from 'node:util'
import type { Outcome } from '../../src/flows/ingest/ingest-types.ts'
import type { Database } from './auditor.ts'
import type { Sent } from './history.ts'

/** What a producer was told about one event, each time that it was told something. */
export interface Answer {
  readonly event: Sent
  readonly outcome: Outcome
}

interface Kept {
  readonly account: string
  readonly source: string
  readonly id: string
  readonly hour: number
  readonly at: string
  readonly type: string
  readonly data: string
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
  const { rows } = await database.query('select account, source, id, hour, at, type, data from usage_event')
  const kept = new Map(
    (rows as Kept[]).map((row) => [nameOf(row.account, row.source, row.id, row.hour), row]),
  )
  const named = new Map<string, Answer[]>()
  for (const answer of answers) {
    const { subject, source, id, time } = answer.event
    const name = nameOf(subject, source, id, Math.floor(Date.parse(time) / HOUR_MS))
    named.set(name, [...(named.get(name) ?? []), answer])
  }
  const unsent = [...kept.keys()].filter((name) => !named.has(name))
  return [
    ...unsent.map((name) => `${name} is stored, and nobody sent it`),
    ...[...named].flatMap(([name, group]) => checkGroup(name, group, kept.get(name))),
  ]
}

function nameOf(account: string, source: string, id: string, hour: number): string {
  return JSON.stringify([account, source, id, hour])
}

function checkGroup(name: string, answers: readonly Answer[], kept: Kept | undefined): readonly string[] {
  const stored = answers.filter(({ outcome }) => outcome === 'accepted' || outcome === 'held')
  const twice = stored.length > 1 ? [`${name} was accepted ${stored.length} times`] : []
  const untrue = answers.filter(({ event, outcome }) => !isTrue(outcome, kept && isSame(kept, event)))
  return [...twice, ...untrue.map(({ outcome }) => `${name}: the answer ${outcome} is not true`)]
}

/** @param same is the stored event the one that was sent? undefined: nothing is stored */
function isTrue(outcome: Outcome, same: boolean | undefined): boolean {
  if (outcome === 'rejected') return same !== true
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
