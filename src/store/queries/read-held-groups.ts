import type { HeldCode } from '../../core/rate/assess.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface ReadHeldGroups {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  readonly after: { readonly code: string; readonly subject: string } | undefined
  readonly limit: number
}

/** Events that are held for the same reason. */
export interface HeldGroup {
  readonly code: HeldCode
  /** The operation or type that is unknown. */
  readonly subject: string
  readonly events: number
  readonly accounts: number
  /** The first and the last hour with such usage. */
  readonly firstHour: Hour
  readonly lastHour: Hour
}

interface RawHeldGroup {
  readonly code: HeldCode
  readonly subject: string
  readonly events: string
  readonly accounts: string
  readonly first_hour: Hour
  readonly last_hour: Hour
}

/** Why events are held, and how many. Reads every held event of the groups: there should be few. */
export const readHeldGroups: Query<ReadHeldGroups, RawHeldGroup, HeldGroup> = {
  name: 'read_held_groups',
  text: `
    select code, subject, count(*) as events, count(distinct account) as accounts,
           min(hour) as first_hour, max(hour) as last_hour
      from held_event
     where ($1::text is null or account = $1)
       and (code, subject) > ($2, $3)
     group by code, subject
     order by code, subject
     limit $4`,
  values: ({ account, after, limit }) => [account ?? null, after?.code ?? '', after?.subject ?? '', limit],
  decode: (raw) => ({
    code: raw.code,
    subject: raw.subject,
    events: Number(raw.events),
    accounts: Number(raw.accounts),
    firstHour: raw.first_hour,
    lastHour: raw.last_hour,
  }),
}
