import { isObject } from '../../core/ingest/read-usage.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import type { Delivered, EventResult } from '../../flows/ingest/ingest-types.ts'

/** An event of a compatible protocol as a CloudEvent. Without a time, that of its receipt counts. */
export function compatEvent(event: { readonly [name: string]: Json }): Delivered {
  const isUntimed = event['time'] === undefined || event['time'] === null
  return isUntimed ? { raw: event, untimed: true } : { raw: event }
}

/** As `compatEvent`, of any JSON. */
export function maybeUntimed(delivered: Delivered): Delivered {
  if ('unreadable' in delivered || !isObject(delivered.raw)) return delivered
  return compatEvent(delivered.raw)
}

/** Is something wrong with it that the sender has to know of? Held events are not lost, and not wrong. */
export function isRefusal({ outcome }: EventResult): boolean {
  return outcome === 'rejected' || outcome === 'conflict'
}
