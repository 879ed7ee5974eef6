import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'
import type { Instant } from '../core/time/instant.ts'
import { checkWriter, MIN_WRITER } from './writer.ts'

export interface InsertDeployment {
  readonly priceVersion: number
  readonly currency: string
  readonly demo: boolean
  /** The hour of the first start; undefined: that of the database's clock. */
  readonly firstHour: Hour | undefined
}

/** Make the deployment: no hour is sealed or settled yet. Its price version is there already. */
export const insertDeployment: Query<InsertDeployment, { first_hour: Hour }, Hour> = {
  name: 'insert_deployment',
  text: `
    insert into deployment (first_hour, sealed_until, settled_until, price_version, currency, demo, min_writer)
    select hour, hour, hour, $1, $2, $3, $5
      from coalesce($4::int, floor(extract(epoch from clock_timestamp()) / 3600)::int) as hour
    returning first_hour`,
  values: ({ priceVersion, currency, demo, firstHour }) => [
    priceVersion,
    currency,
    demo,
    firstHour ?? null,
    MIN_WRITER,
  ],
  decode: (raw) => raw.first_hour,
}

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
/** Has the database the tables of a deployment? Asked before it is migrated, which makes them. */
export const findDeploymentTable: Query<void, { is_there: boolean }, boolean> = {
  name: 'find_deployment_table',
  text: `select to_regclass('deployment') is not null as is_there`,
  values: () => [],
  decode: ({ is_there }) => is_there,
}

export const findDeploymentRow: Query<
  void,
  { first_hour: Hour; price_version: number; currency: string; demo: boolean },
  Deployment
> = {
  name: 'find_deployment_row',
  text: `select first_hour, price_version, currency, demo from deployment`,
  values: () => [],
  decode: (raw) => ({
    firstHour: raw.first_hour,
    priceVersion: raw.price_version,
    currency: raw.currency,
    demo: raw.demo,
  }),
}

/** Where the deployment stands. The one place that reads the clock by which hours are sealed. */
export interface Watermarks {
  readonly sealedUntil: Hour
  readonly settledUntil: Hour
  /** The newest published version. */
  readonly priceVersion: number
  /** How often an account was closed or opened. */
  readonly accountsVersion: number
  /** The database's clock. */
  readonly now: Instant
}

interface RawWatermarks {
  readonly sealed_until: Hour
  readonly settled_until: Hour
  readonly price_version: number
  readonly accounts_version: number
  readonly min_writer: number
  readonly now: string
}

/**
 * Undefined before the first start has made the deployment. Must not share a statement with taking the gate.
 * Everything that writes facts reads it behind its lock, so its decoding refuses writers that are too old.
 * @throws Outdated
 */
export const findWatermarks: Query<void, RawWatermarks, Watermarks> = {
  name: 'find_watermarks',
  text: `
    select sealed_until, settled_until, price_version, accounts_version, min_writer,
           floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now
      from deployment`,
  values: () => [],
  decode: (raw) => {
    checkWriter(raw.min_writer)
    return {
      sealedUntil: raw.sealed_until,
      settledUntil: raw.settled_until,
      priceVersion: raw.price_version,
      accountsVersion: raw.accounts_version,
      now: Number(raw.now) as Instant,
    }
  },
}

/** The lowest writer that may go on beside the schema (writer.ts). */
export const findMinWriter: Query<void, { min_writer: number }, number> = {
  name: 'find_min_writer',
  text: `select min_writer from deployment`,
  values: () => [],
  decode: ({ min_writer }) => min_writer,
}

/** Hours before `to` take no more events of their own. Only while holding the gate alone. */
export const updateSealedUntil: Query<{ readonly to: Hour }, never, void> = {
  name: 'update_sealed_until',
  text: `update deployment set sealed_until = $1 where sealed_until < $1`,
  values: ({ to }) => [to],
  decode: () => undefined,
}

/** Up to which hour every bucket and every account that is set aside has settled. */
const SETTLED_EVERYWHERE = `
  select least((select min(settled_until) from bucket), (select min(hour) from set_aside where account <> '')) as hour`

/** The hours that have all of their bills, which nobody has noted yet, oldest first. */
export const listNewlySettled: Query<{ readonly limit: number }, { hour: Hour }, Hour> = {
  name: 'list_newly_settled',
  text: `
    with low as (${SETTLED_EVERYWHERE})
    select c.hour
      from deployment d, low, cycle c
     where c.hour >= d.settled_until and c.hour < low.hour and c.settled_at is null
     order by c.hour
     limit $1`,
  values: ({ limit }) => [limit],
  decode: ({ hour }) => hour,
}

/**
 * Note that hours before `to` have their bills, as far as they do.
 * @returns those of which it was not noted before
 */
export const updateSettledUntil: Query<{ readonly to: Hour }, { hour: Hour }, Hour> = {
  name: 'update_settled_until',
  text: `
    with low as (${SETTLED_EVERYWHERE}),
         raised as (
           update deployment d set settled_until = least(low.hour, $1) from low
            where least(low.hour, $1) > d.settled_until
           returning d.settled_until)
    update cycle c set settled_at = clock_timestamp() from raised r
     where c.hour < r.settled_until and c.settled_at is null
    returning c.hour`,
  values: ({ to }) => [to],
  decode: ({ hour }) => hour,
}

/** Make a version the newest. Only while holding the gate alone: events are judged under the newest, always. */
export const updatePriceVersion: Query<{ readonly version: number }, never, void> = {
  name: 'update_price_version',
  text: `update deployment set price_version = $1 where price_version = $1 - 1`,
  values: ({ version }) => [version],
  decode: () => undefined,
}

/** One first start at a time in a database, until the transaction ends. Read in a later statement. */
export const lockFirstStart: Query<void, never, void> = {
  name: 'lock_first_start',
  text: `select pg_advisory_xact_lock(hashtext('farthing.first_start'))`,
  values: () => [],
  decode: () => undefined,
}

/** Has a first start, or a restore, made the deployment? Asked of a schema where its tables may still be. */
export const findStarted = { farthing: startedIn('farthing'), public: startedIn('public') } as const

function startedIn(schema: 'farthing' | 'public'): Query<void, { started: true }, true> {
  return {
    name: `find_started_in_${schema}`,
    text: `select true as started from ${schema}.deployment`,
    values: () => [],
    decode: () => true,
  }
}
