import type { HeldCode } from '../../core/rate/assess.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

/** Why an event is held, if it is. */
export const findHeldEvent: Query<
  EventKey,
  { code: HeldCode; detail: string },
  { code: HeldCode; detail: string }
> = {
  name: 'find_held_event',
  text: `
      select code, detail
        from held_event
       where hour = $1 and bucket = $2 and account = $3 and id = $4 and source = $5`,
  values: ({ hour, bucket, account, id, source }) => [hour, bucket, account, id, source],
  decode: (raw) => raw,
}
