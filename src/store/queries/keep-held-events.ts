import type { Query } from '../query.ts'
import { heldColumns, type HeldEvent } from './add-held-events.ts'

/** What was looked at under a newer price book stays held, for a reason that may be another one now. */
export const keepHeldEvents: Query<readonly HeldEvent[], never, void> = {
  name: 'keep_held_events',
  text: `
    update held_event h
       set code = k.code, subject = k.subject, detail = k.detail, price_version = k.price_version
      from unnest($1::int[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                  $9::int[])
           as k (hour, bucket, account, id, source, code, subject, detail, price_version)
     where h.hour = k.hour and h.bucket = k.bucket and h.account = k.account and h.id = k.id and h.source = k.source`,
  values: heldColumns,
  decode: () => undefined,
}
