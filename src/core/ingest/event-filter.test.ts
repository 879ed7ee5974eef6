import { expect, test } from 'vitest'
import { table } from '../../../test/table.ts'
import type { Json } from '../text/canonical-json.ts'
import type { Instant } from '../time/instant.ts'
import { accept } from './accept.ts'
import { type EventFilter, matchesFilter } from './event-filter.ts'
import { isRejection } from './rejection.ts'
import { BUILT_IN_EVENT_TYPES } from './usage.ts'

const EVENTS: Readonly<Record<string, Json>> = {
  request: { operation: 'SimpleQuery', status: 503, project: 'photos' },
  processing: { operation: 'DetectImageFaces', mode: 'sync', project: 'photos', quantities: { call: 1 } },
  storage: { project: 'photos', dataset: 'd', bytes: '5' },
  // Of a type that nobody knows: only its data says what it is.
  unknown: { operation: 'SimpleQuery', status: 503, project: 'photos' },
}

/** An event of 09:00 from the source s. */
function event(type: string) {
  const raw: Json = {
    specversion: '1.0',
    id: '1',
    source: 's',
    type: type === 'unknown' ? 'acme.thing' : `farthing.${type}`,
    subject: 'acme',
    time: '2025-07-28T09:00:00Z',
    data: EVENTS[type]!,
  }
  const read = accept(raw, { receivedAt: Date.now() as Instant, eventTypes: BUILT_IN_EVENT_TYPES })
  if (isRejection(read)) throw new Error(read.detail)
  return read
}

const at = (time: string) => Date.parse(`2025-07-28T${time}Z`) as Instant

const CASES = table(`
  event      | from         | to           | filter                                     | is meant
  request    | 09:00:00     | 10:00:00     | {}                                         | yes
  request    | 08:00:00     | 09:00:00     | {}                                         | no
  request    | 08:00:00     | 09:00:00.001 | {}                                         | yes
  request    | 09:00:00.001 | 10:00:00     | {}                                         | no
  request    | 09:00:00     | 10:00:00     | {"source":"s"}                             | yes
  request    | 09:00:00     | 10:00:00     | {"source":"S"}                             | no
  request    | 09:00:00     | 10:00:00     | {"type":"farthing.request"}                | yes
  request    | 09:00:00     | 10:00:00     | {"type":"farthing.processing"}             | no
  request    | 09:00:00     | 10:00:00     | {"operation":"SimpleQuery","status":503}   | yes
  request    | 09:00:00     | 10:00:00     | {"operation":"SimpleQuery","status":500}   | no
  request    | 09:00:00     | 10:00:00     | {"operation":"Simple"}                     | no
  request    | 09:00:00     | 10:00:00     | {"project":"photos"}                       | yes
  request    | 09:00:00     | 10:00:00     | {"project":"phot"}                         | no
  processing | 09:00:00     | 10:00:00     | {"operation":"DetectImageFaces"}           | yes
  processing | 09:00:00     | 10:00:00     | {"status":200}                             | no
  storage    | 09:00:00     | 10:00:00     | {"project":"photos"}                       | yes
  storage    | 09:00:00     | 10:00:00     | {"operation":"SimpleQuery"}                | no
  unknown    | 09:00:00     | 10:00:00     | {"operation":"SimpleQuery","status":503}   | yes
  unknown    | 09:00:00     | 10:00:00     | {"project":"other"}                        | no
`)

for (const { event: type, from, to, filter, ...row } of CASES) {
  test(`${type} at 09:00 in [${from}, ${to}) with ${filter}: ${row['is meant']}`, () => {
    const given = JSON.parse(filter!) as Omit<EventFilter, 'from' | 'to'>
    const meant = matchesFilter({ ...given, from: at(from!), to: at(to!) }, event(type!))
    expect(meant ? 'yes' : 'no').toBe(row['is meant'])
  })
}
