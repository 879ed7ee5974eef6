import { canonicalJson } from '../text/canonical-json.ts'
import { byteLength } from '../text/well-formed.ts'
import { ZERO } from '../money/decimal.ts'
import { hourOf } from '../time/hour.ts'
import { formatInstant, type Instant } from '../time/instant.ts'
import type { UsageEvent } from './event.ts'
import { ID_BYTES_MAX } from './read-text.ts'

/** The source of the levels of 0 bytes that end what a closed account stores. Nobody else may use it. */
export const CLOSED_SOURCE = 'farthing:closed'

/**
 * Sources that only Farthing itself uses. Nobody else can send an event of one, which could stand in the way of a closing,
 * and no order takes one back: what a closed account stores would be charged for ever.
 */
export function isReservedSource(source: string): boolean {
  return source.endsWith(CLOSED_SOURCE)
}

export interface LevelEnd {
  readonly account: string
  readonly project: string | null
  readonly dataset: string | null
  readonly region: string | null
  readonly at: Instant
  /** The source of a level at this very instant that has to be outdone; undefined: of none. */
  readonly over: string | undefined
}

/**
 * A level of 0 bytes: a series ends at an instant. The same end is the same event, so it counts once however often it is
 * sent. Of two levels at one instant the greater source is in force, so one that outdoes another extends its source.
 * @param digest of a text, for ids that would be too long
 */
export function endOfSeries(end: LevelEnd, digest: (text: string) => string): UsageEvent {
  const { account, project, dataset, region, at, over } = end
  const source = over === undefined ? CLOSED_SOURCE : `${over}/${CLOSED_SOURCE}`
  const names = Object.entries({ project, dataset, region }).filter(([, name]) => name !== null)
  return {
    account,
    source,
    id: idOf(end, digest),
    type: 'farthing.storage',
    at,
    hour: hourOf(at),
    data: canonicalJson({ bytes: '0', ...Object.fromEntries(names) }),
    attributes: null,
    usage: { component: 'storage', project, region, dataset, bytes: ZERO },
  }
}

/** A list of texts, as JSON: no two series have the same one, whatever their names contain. */
function idOf({ at, project, dataset, region }: LevelEnd, digest: (text: string) => string): string {
  const series = [project ?? '', dataset ?? '', region ?? '']
  const id = canonicalJson([formatInstant(at), ...series])
  return byteLength(id) <= ID_BYTES_MAX
    ? id
    : canonicalJson([formatInstant(at), digest(canonicalJson(series))])
}
