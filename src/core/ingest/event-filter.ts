import type { Json } from '../text/canonical-json.ts'
import type { Instant } from '../time/instant.ts'
import type { UsageEvent } from './event.ts'
import { isObject } from './read-usage.ts'

/** Which of an account's events are meant. What is undefined does not matter. */
export interface EventFilter {
  /** Usage at [from, to). */
  readonly from: Instant
  readonly to: Instant
  readonly source?: string | undefined
  readonly type?: string | undefined
  readonly operation?: string | undefined
  readonly project?: string | undefined
  /** The HTTP status of a request: no other usage has one. */
  readonly status?: number | undefined
}

/**
 * Is the event one of those that are meant? Usage that the price book does not know how to read is taken by what its
 * data says under the usual names, so that held events are found too.
 */
export function matchesFilter(filter: EventFilter, event: UsageEvent): boolean {
  const { at, source, type } = event
  if (at < filter.from || at >= filter.to) return false
  if (filter.source !== undefined && source !== filter.source) return false
  if (filter.type !== undefined && type !== filter.type) return false
  const { operation, project, status } = namesOf(event)
  if (filter.operation !== undefined && operation !== filter.operation) return false
  if (filter.project !== undefined && project !== filter.project) return false
  return filter.status === undefined || status === filter.status
}

interface Names {
  readonly operation?: Json | undefined
  readonly project?: Json | undefined
  readonly status?: Json | undefined
}

function namesOf({ usage, data }: UsageEvent): Names {
  switch (usage?.component) {
    case undefined: {
      const fields = JSON.parse(data) as Json
      return isObject(fields) ? fields : {}
    }
    case 'request':
      return { operation: usage.operation, project: usage.project, status: usage.status }
    case 'processing':
      return { operation: usage.operation, project: usage.project }
    case 'storage':
      return { project: usage.project }
  }
}
