import { canonicalJson } from '../text/canonical-json.ts'
import { sameContent, type UsageEvent } from './event.ts'

/** How far apart copies of one identity under different times are still found (FARTHING_IDENTITY_WINDOW). */
export const IDENTITY_WINDOW_HOURS = 62 * 24

export type Standing = 'stands' | 'duplicate' | 'conflict'

/**
 * Which events count, of a list in order of arrival. One identity counts once (ARCHITECTURE.md): within an hour
 * the first to arrive, over several hours the earliest hour. Of the others, those of the same content are
 * duplicates, and those of other content (another time is other content) are conflicts. Copies further apart
 * than the window are two events.
 * @returns for each event, in the order given
 */
export function standingOf(events: readonly UsageEvent[]): readonly Standing[] {
  const standing = events.map((): Standing => 'stands')
  for (const copies of byIdentity(events)) {
    if (copies.length > 1) decide(events, copies, standing)
  }
  return standing
}

/** Indexes of the events of each identity, in order of arrival. */
function byIdentity(events: readonly UsageEvent[]): Iterable<readonly number[]> {
  const groups = new Map<string, number[]>()
  for (const [index, { account, source, id }] of events.entries()) {
    const key = canonicalJson([account, source, id])
    const group = groups.get(key)
    if (group) group.push(index)
    else groups.set(key, [index])
  }
  return groups.values()
}

function decide(events: readonly UsageEvent[], copies: readonly number[], standing: Standing[]): void {
  const byHour = copies.toSorted((a, b) => events[a]!.hour - events[b]!.hour || a - b)
  let chosen = byHour[0]!
  for (const copy of byHour.slice(1)) {
    const [event, stands] = [events[copy]!, events[chosen]!]
    if (event.hour - stands.hour > IDENTITY_WINDOW_HOURS) chosen = copy
    else standing[copy] = sameContent(event, stands) ? 'duplicate' : 'conflict'
  }
}
