import type { CloudEvent, Content } from './facts.ts'

export const MINUTE_MS = 60_000
/** A fact that stands for more calls than this is an event of its own, so that no sum can have too many digits. */
export const FOLDED_COUNT_MAX = 10n ** 15n

/** Calls of one key and minute that are counted together. */
export interface Part {
  /** Everything but the count. */
  readonly event: CloudEvent
  count: bigint
  /** Bytes of its records in the spool. */
  spooledBytes: number
}

/**
 * Counts calls of the same account, project, operation, status, region and minute into one event each. The identity
 * of such a part names this run of the process, the minute and a number that is never given twice: whatever the clock
 * does, and whenever a part is closed, what comes after it has another identity.
 */
export interface Fold {
  /** Parts that are open. */
  readonly size: () => number
  /** The part into which this is counted, if it is open. */
  readonly find: (content: Content) => Part | undefined
  /** @param number never given to this before */
  readonly open: (content: Content, number: number) => Part
  readonly parts: () => Iterable<Part>
  /** Ends all parts. @returns them, complete */
  readonly close: () => readonly Part[]
}

export function createFold(source: string, run: string): Fold {
  let open = new Map<string, Part>()
  return {
    size: () => open.size,
    find: (content) => open.get(keyOf(content)),
    open(content, number) {
      const time = minuteOf(content.at)
      const id = `${run}-${time.slice(0, 16)}Z-${number}`
      const { count: _, ...data } = content.data
      const { type, account: subject } = content
      const event: CloudEvent = { specversion: '1.0', id, source, type, subject, time, data }
      const part = { event, count: 0n, spooledBytes: 0 }
      open.set(keyOf(content), part)
      return part
    },
    parts: () => open.values(),
    close() {
      const closed = [...open.values()]
      open = new Map()
      return closed
    },
  }
}

/**
 * Can this be counted together with others? Only calls, that name no file and have no identity of the caller's own:
 * both would be lost.
 */
export function isFoldable({ type, id, data }: Content): boolean {
  return (
    type === 'farthing.request' &&
    id === undefined &&
    data['resource'] === undefined &&
    countOf(data) <= FOLDED_COUNT_MAX
  )
}

/** How many calls a fact stands for. */
export function countOf(data: Content['data']): bigint {
  return BigInt(data['count'] as string)
}

/** The event of a part, with its count. */
export function completed(event: CloudEvent, count: bigint): CloudEvent {
  return { ...event, data: { ...event.data, count: String(count) } }
}

/** The first instant of the minute. */
function minuteOf(at: number): string {
  return new Date(at - (at % MINUTE_MS)).toISOString()
}

/** As JSON, so that no two keys can look alike, whatever their texts are. */
function keyOf({ account, at, data }: Content): string {
  const { operation, status, project, region } = data
  return JSON.stringify([account, project ?? null, operation, status, region ?? null, at - (at % MINUTE_MS)])
}
