import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'

export const USAGE_GROUPS = ['account', 'component', 'item', 'operation', 'project', 'region'] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]

export type UsageWindow = 'hour' | 'day' | 'month'

/** What a row of usage is of. Groups that were not asked for, and absent names, are ''. */
export type UsageKey = Readonly<Record<UsageGroup | 'unit', string>> & {
  /** The first hour of the window, of UTC. */
  readonly window: Hour
}

export interface UsageRow extends UsageKey {
  /** Plain decimals, exact. */
  readonly quantity: string
  readonly waived: string
  readonly amount: string
}

/** Some lines of all: those of an item, or of one of its rates. */
export interface OnlyRate {
  readonly item: string
  /** Undefined: every rate of the item. */
  readonly rate: string | undefined
}

export interface ReadUsageOfAll {
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly window: UsageWindow
  readonly groupBy: readonly UsageGroup[]
  /** Undefined: all lines. */
  readonly only: OnlyRate | undefined
  /** The last row of the page before. */
  readonly after: UsageKey | undefined
  readonly limit: number
}

export interface ListUsageRows extends ReadUsageOfAll {
  readonly bucket: number
  readonly account: string
}

interface RawUsage extends Omit<UsageRow, 'window'> {
  readonly window_start: Hour
}

/** What is summed up of lines. */
const LINE =
  'account, usage_hour, component, item, rate, operation, project, region, unit, quantity, waived, amount'

/** From the lines `line` to a page of sums. */
const SUMS = `
    keyed as (
      select case $3::text
               when 'hour' then usage_hour
               when 'day' then usage_hour / 24 * 24
               else (extract(epoch from date_trunc('month', to_timestamp(usage_hour::bigint * 3600) at time zone 'UTC'))
                     / 3600)::int
             end as window_start,
             case when 'account' = any ($4::text[]) then account else '' end as account,
             (case when 'component' = any ($4) then component else '' end) collate "C" as component,
             case when 'item' = any ($4) then item else '' end as item,
             case when 'operation' = any ($4) then coalesce(operation, '') else '' end as operation,
             case when 'project' = any ($4) then coalesce(project, '') else '' end as project,
             case when 'region' = any ($4) then coalesce(region, '') else '' end as region,
             unit collate "C" as unit,
             quantity, waived, amount
        from line
       where ($14::text is null or item = $14) and ($15::text is null or rate = $15))
    select window_start, account, component, item, operation, project, region, unit,
           trim_scale(sum(quantity))::text as quantity,
           trim_scale(sum(waived))::text as waived,
           trim_scale(sum(amount))::text as amount
      from keyed
     where (window_start, account, component, item, operation, project, region, unit)
           > ($5, $6, $7, $8, $9, $10, $11, $12)
     group by window_start, account, component, item, operation, project, region, unit
     order by window_start, account, component, item, operation, project, region, unit
     limit $13`

/**
 * What the account's bills say of usage hours, summed up: the lines of those hours' own bills (one probe of the
 * primary key an hour) and the corrections of later ones (by the index bill_line_correction).
 */
export const listUsageRows: Query<ListUsageRows, RawUsage, UsageRow> = {
  name: 'list_usage_rows',
  text: `
    with line as (
      select own.*
        from generate_series($1::int, $2::int - 1) as h (hour)
       cross join lateral (
         select ${LINE}
           from bill_line
          where hour = h.hour and hour >= $1 and hour < $2 and bucket = $16 and account = $17 and usage_hour = h.hour
         offset 0) own
      union all
      select ${LINE}
        from bill_line
       where account = $17 and usage_hour >= $1 and usage_hour < $2 and usage_hour <> hour and hour > $1),
    ${SUMS}`,
  values: ({ bucket, account, ...ask }) => [...valuesOf(ask), bucket, account],
  decode: decodeUsage,
}

/**
 * The same of all accounts: one range of the primary key, and the corrections of later hours (by the index
 * bill_line_correction_cycle).
 */
export const readUsageOfAll: Query<ReadUsageOfAll, RawUsage, UsageRow> = {
  name: 'read_usage_of_all',
  text: `
    with line as (
      select ${LINE}
        from bill_line
       where hour >= $1::int and hour < $2::int and usage_hour = hour
      union all
      select ${LINE}
        from bill_line
       where hour > $1 and usage_hour >= $1 and usage_hour < $2 and usage_hour <> hour),
    ${SUMS}`,
  values: valuesOf,
  decode: decodeUsage,
}

function valuesOf({ from, to, window, groupBy, only, after, limit }: ReadUsageOfAll): readonly unknown[] {
  return [
    from,
    to,
    window,
    groupBy,
    after?.window ?? -1,
    after?.account ?? '',
    after?.component ?? '',
    after?.item ?? '',
    after?.operation ?? '',
    after?.project ?? '',
    after?.region ?? '',
    after?.unit ?? '',
    limit,
    only?.item ?? null,
    only?.rate ?? null,
  ]
}

function decodeUsage({ window_start, ...row }: RawUsage): UsageRow {
  return { window: window_start, ...row }
}
