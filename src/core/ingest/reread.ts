import { invariant } from '../invariant.ts'
import type { Json } from '../text/canonical-json.ts'
import { isObject, readUsage } from './read-usage.ts'
import { isRejection } from './rejection.ts'
import type { EventType, Usage } from './usage.ts'

/**
 * What a stored event says, from its type and the RFC 8785 form of its data: the same reading as when it was
 * accepted, so that a bill and its proof cannot disagree on it.
 * @returns undefined when the type is unknown, or was made known afterwards and the data does not fit it: held
 */
export function reread(
  eventTypes: ReadonlyMap<string, EventType>,
  type: string,
  data: string,
): Usage | undefined {
  const eventType = eventTypes.get(type)
  if (eventType === undefined) return undefined
  const fields = JSON.parse(data) as Json
  invariant(isObject(fields), 'the data of a stored event is an object')
  const usage = readUsage(eventType, fields)
  return isRejection(usage) ? undefined : usage
}
