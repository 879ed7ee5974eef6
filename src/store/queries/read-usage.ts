import type { Hour } from '../../core/time/hour.ts'
import type { Query } from '../query.ts'

export const USAGE_GROUPS = ['component', 'item', 'operation', 'project', 'region'] as const
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

export interface ReadUsage {
  readonly bucket: number
  readonly account: string
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

interface RawUsage extends Omit<UsageRow, 'window'> {
  readonly window_start: Hour
}

/**
 * What the account's bills say of usage hours, summed up: the lines of those hours' own bills (one probe of the
 * primary key an hour) and the corrections of later ones (by the index bill_line_correction).
 */
export const readUsage: Query<ReadUsage, RawUsage, UsageRow> = {
  name: 'read_usage',
  text: `
    with line as (
      select own.*
        from generate_series($3::int, $4::int - 1) as h (hour)
       cross join lateral (
         select usage_hour, component, item, operation, project, region, unit, quantity, waived, amount
           from bill_line
          where hour = h.hour and hour >= $3 and hour < $4 and bucket = $1 and account = $2 and usage_hour = h.hour
            and ($15::text is null or item = $15) and ($16::text is null or rate = $16)
         offset 0) own
      union all
      select usage_hour, component, item, operation, project, region, unit, quantity, waived, amount
        from bill_line
       where account = $2 and usage_hour >= $3 and usage_hour < $4 and usage_hour <> hour and hour > $3
         and ($15::text is null or item = $15) and ($16::text is null or rate = $16)),
    keyed as (
      select case $5::text
               when 'hour' then usage_hour
               when 'day' then usage_hour / 24 * 24
               else (extract(epoch from date_trunc('month', to_timestamp(usage_hour::bigint * 3600) at time zone 'UTC'))
                     / 3600)::int
             end as window_start,
             (case when 'component' = any ($6::text[]) then component else '' end) collate "C" as component,
             case when 'item' = any ($6) then item else '' end as item,
             case when 'operation' = any ($6) then coalesce(operation, '') else '' end as operation,
             case when 'project' = any ($6) then coalesce(project, '') else '' end as project,
             case when 'region' = any ($6) then coalesce(region, '') else '' end as region,
             unit collate "C" as unit,
             quantity, waived, amount
        from line)
    select window_start, component, item, operation, project, region, unit,
           trim_scale(sum(quantity))::text as quantity,
           trim_scale(sum(waived))::text as waived,
           trim_scale(sum(amount))::text as amount
      from keyed
     where (window_start, component, item, operation, project, region, unit) > ($7, $8, $9, $10, $11, $12, $13)
     group by window_start, component, item, operation, project, region, unit
     order by window_start, component, item, operation, project, region, unit
     limit $14`,
  values: ({ bucket, account, from, to, window, groupBy, only, after, limit }) => [
    bucket,
    account,
    from,
    to,
    window,
    groupBy,
    after?.window ?? -1,
    after?.component ?? '',
    after?.item ?? '',
    after?.operation ?? '',
    after?.project ?? '',
    after?.region ?? '',
    after?.unit ?? '',
    limit,
    only?.item ?? null,
    only?.rate ?? null,
  ],
  decode: ({ window_start, ...row }) => ({ window: window_start, ...row }),
}
