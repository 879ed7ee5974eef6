import type { HeldCode } from '../../core/rate/assess.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface FoundHeldEvent {
  readonly code: HeldCode
  readonly detail: string
  readonly heldAt: Instant
}

/** Why an event is held, and since when, if it is. */
export const findHeldEvent: Query<
  EventKey,
  { code: HeldCode; detail: string; held_at: Date },
  FoundHeldEvent
> = {
  name: 'find_held_event',
  text: `
      select code, detail, held_at
        from held_event
       where hour = $1 and bucket = $2 and account = $3 and id = $4 and source = $5`,
  values: ({ hour, bucket, account, id, source }) => [hour, bucket, account, id, source],
  decode: ({ code, detail, held_at }) => ({ code, detail, heldAt: held_at.getTime() as Instant }),
}
