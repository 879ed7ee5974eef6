import { hash } from 'node:crypto'
import { groupBy } from '../../core/group-by.ts'
import { invariant } from '../../core/invariant.ts'
import {
  insertRefusedEvents,
  type CountedKind,
  countRefusals,
  type RefusalKind,
  type RefusedEvent,
  updateRepeatedRefusals,
} from '../../store/refusals.ts'
import { run, type Sql } from '../../store/query.ts'

/** Kinds of refusals that are counted by name: accounts and sources are chosen by anyone who sends. */
export const REFUSAL_KINDS_MAX = 10_000
/** Refusals of one kind that are kept with what was sent, in a UTC hour: enough to see what is wrong. */
export const REFUSED_EVENTS_OF_KIND_MAX = 100

export interface RefusalLimits {
  readonly kindsMax: number
  readonly ofKindMax: number
}

const LIMITS: RefusalLimits = { kindsMax: REFUSAL_KINDS_MAX, ofKindMax: REFUSED_EVENTS_OF_KIND_MAX }

/** Equal refusals of a group, and how many they are. */
interface Refusal extends RefusedEvent {
  readonly digest: string
  readonly times: number
}

/**
 * Count refusals by kind, and keep the first of each kind for inspection: equal ones once, with their number. At most
 * three statements, however many they are. To be called last in a transaction: it holds the rows of its kinds until the
 * commit, and anyone who refuses something of the same kind waits for it.
 */
export async function keepRefusals(
  sql: Sql,
  events: readonly RefusedEvent[],
  { kindsMax, ofKindMax }: RefusalLimits = LIMITS,
): Promise<void> {
  if (events.length === 0) return
  const groups = [...groupBy(equalOnes(events), (refusal) => nameOf(kindOf(refusal))).values()]
  const kinds = groups.map((group) => ({ ...kindOf(group[0]!), times: sumOf(group) }))
  const counted = await run(sql, countRefusals, { kinds, kindsMax })
  invariant(counted.length === groups.length, 'every kind of refusals is counted once')
  // In a statement of its own: it sees what was kept by those that the count has waited for.
  const known = new Set(await run(sql, updateRepeatedRefusals, groups.flat()))
  const places = [...groupBy(counted, nameOf).values()].map((own) => {
    const fresh = own.flatMap(({ index }) => groups[index]!).filter(({ digest }) => !known.has(digest))
    return { ...own[0]!, fresh: fresh.slice(0, roomOf(own[0]!, ofKindMax)) }
  })
  const fresh = places.flatMap((place) => place.fresh)
  if (fresh.length === 0) return
  const added = places.map((place) => ({ ...place, added: place.fresh.length }))
  const { hour } = counted[0]!
  await run(sql, insertRefusedEvents, { events: fresh, kinds: added.filter((kind) => kind.added > 0), hour })
}

function roomOf({ kept }: CountedKind, ofKindMax: number): number {
  return Math.max(0, ofKindMax - kept)
}

/** In the order of the first of each. */
function equalOnes(events: readonly RefusedEvent[]): readonly Refusal[] {
  const digests = new Map(events.map((event) => [event, digestOf(event)]))
  return [...groupBy(events, (event) => digests.get(event)!)].map(([digest, [event, ...others]]) => {
    return { ...event!, digest, times: 1 + others.length }
  })
}

/** SHA-256 of all fields. What was sent may be long, and stands as it is behind the others: it runs into none. */
function digestOf({ outcome, account, source, id, code, detail, body }: RefusedEvent): string {
  return hash('sha256', JSON.stringify([outcome, account, source, id, code, detail]) + body, 'hex')
}

function kindOf({ account, source, code, outcome }: RefusedEvent): RefusalKind {
  return { account: account ?? '', source: source ?? '', code, outcome }
}

function nameOf({ account, source, code, outcome }: RefusalKind): string {
  return JSON.stringify([account, source, code, outcome])
}

function sumOf(group: readonly Refusal[]): number {
  return group.reduce((sum, { times }) => sum + times, 0)
}
