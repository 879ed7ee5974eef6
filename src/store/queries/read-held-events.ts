import type { HeldCode } from '../../core/rate/assess.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'
import type { EventKey } from './find-events.ts'

export interface ReadHeldEvents {
  readonly account: string | undefined
  readonly code: string | undefined
  readonly subject: string | undefined
  readonly after: EventKey | undefined
  readonly limit: number
}

export interface HeldRow extends EventKey {
  readonly code: HeldCode
  readonly subject: string
  readonly detail: string
  readonly heldAt: Instant
}

interface RawHeld extends Omit<EventKey, 'hour'> {
  readonly hour: Hour
  readonly code: HeldCode
  readonly subject: string
  readonly detail: string
  readonly held_at: Date
}

/** Held events in the order of their key, all or those of one reason. */
export const readHeldEvents: Query<ReadHeldEvents, RawHeld, HeldRow> = {
  name: 'read_held_events',
  text: `
    select hour, bucket, account, id, source, code, subject, detail, held_at
      from held_event
     where ($1::text is null or account = $1)
       and ($2::text is null or code = $2)
       and ($3::text is null or subject = $3)
       and (hour, bucket, account, id, source) > ($4, $5, $6, $7, $8)
     order by hour, bucket, account, id, source
     limit $9`,
  values: ({ account, code, subject, after, limit }) => {
    const start = after ?? { hour: -1, bucket: -1, account: '', id: '', source: '' }
    const position = [start.hour, start.bucket, start.account, start.id, start.source]
    return [account ?? null, code ?? null, subject ?? null, ...position, limit]
  },
  decode: ({ held_at, ...row }) => ({ ...row, heldAt: held_at.getTime() as Instant }),
}
