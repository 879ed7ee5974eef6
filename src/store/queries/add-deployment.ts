import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export interface AddDeployment {
  readonly priceVersion: number
  readonly currency: string
  readonly demo: boolean
  /** The hour of the first start; undefined: that of the database's clock. */
  readonly firstHour: Hour | undefined
}

/** Make the deployment: no hour is sealed or settled yet. Its price version is there already. */
export const addDeployment: Query<AddDeployment, { first_hour: Hour }, Hour> = {
  name: 'add_deployment',
  text: `
    insert into deployment (first_hour, sealed_until, settled_until, price_version, currency, demo)
    select hour, hour, hour, $1, $2, $3
      from coalesce($4::int, floor(extract(epoch from clock_timestamp()) / 3600)::int) as hour
    returning first_hour`,
  values: ({ priceVersion, currency, demo, firstHour }) => [priceVersion, currency, demo, firstHour ?? null],
  decode: (raw) => raw.first_hour,
}
