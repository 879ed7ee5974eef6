import type { Hour } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Query } from '../query.ts'

/** Where the deployment stands. The one place that reads the clock by which hours are sealed. */
export interface Marks {
  readonly sealedUntil: Hour
  readonly settledUntil: Hour
  /** The newest published version. */
  readonly priceVersion: number
  /** How often an account was closed or opened. */
  readonly accountsVersion: number
  /** The database's clock. */
  readonly now: Instant
}

/** Undefined before the first start has made the deployment. Must not share a statement with taking the gate. */
export const readMarks: Query<
  void,
  { sealed_until: Hour; settled_until: Hour; price_version: number; accounts_version: number; now: string },
  Marks
> = {
  name: 'read_marks',
  text: `
    select sealed_until, settled_until, price_version, accounts_version,
           floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now
      from deployment`,
  values: () => [],
  decode: (raw) => ({
    sealedUntil: raw.sealed_until,
    settledUntil: raw.settled_until,
    priceVersion: raw.price_version,
    accountsVersion: raw.accounts_version,
    now: Number(raw.now) as Instant,
  }),
}
