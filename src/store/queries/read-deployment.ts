import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

/** The one row that says what this database is for, and since when. */
export interface Deployment {
  /** The hour of the first start. */
  readonly firstHour: Hour
  /** The newest published version. */
  readonly priceVersion: number
  readonly currency: string
  /** Started with the reference price book: for good. */
  readonly demo: boolean
}

/** Undefined before the first start. */
export const readDeployment: Query<
  void,
  { first_hour: Hour; price_version: number; currency: string; demo: boolean },
  Deployment
> = {
  name: 'read_deployment',
  text: `select first_hour, price_version, currency, demo from deployment`,
  values: () => [],
  decode: (raw) => ({
    firstHour: raw.first_hour,
    priceVersion: raw.price_version,
    currency: raw.currency,
    demo: raw.demo,
  }),
}
