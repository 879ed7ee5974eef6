import { isObject } from '../../core/ingest/read-usage.ts'
import type { Json } from '../../core/text/canonical-json.ts'
import { isExactJson } from '../../core/text/json/exact-json.ts'
import { partsOf } from '../../core/text/json/parts-of.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { HttpProblem } from '../api/problem.ts'
import { deliveredElement, deliveredList, type ParsedJson } from '../body/deliver-element.ts'
import { refuseFault } from '../body/read-json.ts'
import { readLagoEvent } from './lago-event.ts'

/** Events of a Lago client as they came, and as CloudEvents. */
export interface LagoEvents {
  readonly sent: readonly Json[]
  readonly delivered: readonly Delivered[]
}

/** The body `{"event": …}`. Throws 400 where its text leaves open which event is meant. */
export function readLagoSingle(event: Json, body: ParsedJson): LagoEvents {
  const text = isExactJson([body.value], body.bytes) ? undefined : textOfMember(body.text, 'event')
  const delivered =
    text === undefined
      ? readLagoEvent(event)
      : deliveredElement({ value: event, bytes: Buffer.from(text), text }, readLagoEvent)
  return { sent: [event], delivered: [delivered] }
}

/** The body `{"events": […]}`. Throws 400 for another form, or where its text leaves open which events are meant. */
export function readLagoBatch(body: ParsedJson): LagoEvents {
  const { value, bytes } = body
  const events = isObject(value) ? value['events'] : undefined
  if (!Array.isArray(events)) {
    throw new HttpProblem('request/invalid_body', 'The body has no list of events: send {"events": […]}.')
  }
  const sent = events as readonly Json[]
  if (isExactJson([value], bytes)) return { sent, delivered: sent.map((event) => readLagoEvent(event)) }
  const list = textOfMember(body.text, 'events')
  return { sent, delivered: deliveredList(sent, Buffer.from(list), () => list, readLagoEvent) }
}

/** The text of a member that is there once; what stands beside it must be what it was parsed to. */
function textOfMember(body: string, name: string): string {
  const members = partsOf(body)
  const beside = members.map(({ key, text }) => `${JSON.stringify(key)}:${key === name ? 'null' : text}`)
  refuseFault(`{${beside.join(',')}}`)
  return members.find(({ key }) => key === name)!.text
}
