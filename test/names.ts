import fc from 'fast-check'
import { accept } from '../src/core/ingest/accept.ts'
import type { Json } from '../src/core/text/canonical-json.ts'
import { BUILT_IN_EVENT_TYPES } from '../src/core/ingest/usage.ts'
import type { Instant } from '../src/core/time/instant.ts'

/** Of any characters, with those that matter more often than chance has them. */
const character = fc.oneof(
  fc.constantFrom(
    ...Array.from(' /:{}*?+()|[]^$~@!,;=&%#"\'\\<>.-_\t\n\u0000\u00a0\u00ad\u200b\u2028\ufeff\ud800é写'),
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)

/** What an operation or an event type may be called, and what it may not. */
export const anyName = fc.oneof(
  fc.array(character, { maxLength: 12 }).map((characters) => `GET /${characters.join('')}`),
  fc.array(character, { maxLength: 4 }).map((characters) => characters.join('')),
  fc.integer({ min: 120, max: 260 }).map((length) => 'é'.repeat(length >> 1) + 'x'.repeat(length % 2)),
)

/** What the server makes of an event with nothing unusual but its type and data. */
export function acceptOne(type: string, data: Json) {
  const receivedAt = Date.UTC(2026, 6, 1) as Instant
  const time = '2026-07-01T00:00:00Z'
  const event = { specversion: '1.0', id: '1', source: '/s', type, subject: 'a', time, data }
  return accept(event, { receivedAt, eventTypes: BUILT_IN_EVENT_TYPES })
}
