import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface SourceWatch {
  readonly firstHour: Hour
  readonly sealedUntil: Hour
  /** Null: no hour was counted yet. */
  readonly countedUntil: Hour | null
}

/** Claim the counting of sources until the transaction ends; undefined when another one counts. */
export const claimSourceWatch: Query<
  void,
  { first_hour: Hour; sealed_until: Hour; counted_until: Hour | null },
  SourceWatch
> = {
  name: 'claim_source_watch',
  text: `
    select d.first_hour, d.sealed_until, w.counted_until
      from source_watch w, deployment d
       for update of w skip locked`,
  values: () => [],
  decode: (raw) => ({
    firstHour: raw.first_hour,
    sealedUntil: raw.sealed_until,
    countedUntil: raw.counted_until,
  }),
}
