import type { Json } from '../../core/text/canonical-json.ts'
import { scanList } from '../../core/text/json/scan-list.ts'
import type { Delivered } from '../../flows/ingest/ingest-types.ts'
import { HttpProblem } from '../api/problem.ts'
import { deliveredElement, excessive } from './deliver-element.ts'
import { BATCH_EVENTS_MAX, BODY_VALUES_MAX, LIST } from './limits.ts'
import { malformed, parseJson, requireUtf8 } from './read-json.ts'

/** The elements of a list in a body. */
export interface ReadList {
  /** As they were parsed; null for one that no parser has seen. */
  readonly values: readonly Json[]
  readonly delivered: readonly Delivered[]
  /** The offset after the list. */
  readonly end: number
}

/**
 * Read a list of events, each by itself: one that is too large or too deep is a rejected event, and its neighbours are read.
 * The whole never becomes one text or one value.
 * @param opening where its bracket is
 * @param deliver what an element is as an event; its own form unless it is one of another protocol
 * @throws HttpProblem for what is no JSON, and 413 for more than a request may have: then no element was parsed
 */
export function readList(body: Buffer, opening: number, deliver?: (element: Json) => Delivered): ReadList {
  const list = scanList(body, opening, LIST)
  if (list.is === 'too many elements') throw tooManyEvents()
  if (list.is === 'too many values') throw tooManyValues()
  requireUtf8(body)
  if (list.is === 'damaged') throw malformed(body)
  const values: Json[] = []
  const delivered: Delivered[] = []
  for (const scan of list.elements) {
    if (scan.excess) {
      values.push(null)
      delivered.push(excessive(scan.excess, body.subarray(scan.start, scan.end)))
      continue
    }
    const text = body.toString('utf8', scan.start, scan.end)
    const value = parseJson(text)
    if (value === undefined) throw malformed(body)
    values.push(value)
    delivered.push(deliveredElement({ value, text, scan }, deliver))
  }
  return { values, delivered, end: list.end }
}

export function tooManyEvents(): HttpProblem {
  const detail = `There are ${BATCH_EVENTS_MAX + 1} events or more in the body: send at most ${BATCH_EVENTS_MAX} in one request.`
  return new HttpProblem('request/too_many_events', detail)
}

export function tooManyValues(): HttpProblem {
  const detail = `The events of the body have more than ${BODY_VALUES_MAX} values together: send them in several requests.`
  return new HttpProblem('request/too_complex', detail)
}
