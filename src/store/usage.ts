import type { Windows } from '../core/time/calendar.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Query } from './query.ts'

/** What usage is told apart by; tags of accounts besides. */
export const USAGE_GROUPS = [
  'account',
  'component',
  'item',
  'rate',
  'operation',
  'project',
  'region',
] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]

/** Where usage counts: in the hour in which it happened, or in the hour of the bill that has it. */
export type UsageBasis = 'usage' | 'bill'

/** What a sum is of. Groups that were not asked for, and absent names, are ''. */
export type UsageKey = Readonly<Record<UsageGroup | 'unit', string>> & {
  /** The number of the window. */
  readonly window: number
  /** The number of the tags that the account has; 0: those that were not asked for. */
  readonly tags: number
  /** Is it of lines that correct older hours? False where that was not asked for. */
  readonly correction: boolean
}

/** What sums are told apart by. */
export type SumGroup = UsageGroup | 'tags' | 'correction'

export interface UsageSum extends UsageKey {
  /** Plain decimals, exact. */
  readonly quantity: string
  readonly waived: string
  readonly amount: string
}

/** Only lines with one of these names; '' is an absent one. Left out: all. */
export type UsageFilter = { readonly [Group in UsageGroup]?: readonly string[] | undefined }

/** An account with windows, or tags, of its own. */
export interface AccountPlace {
  readonly account: string
  /** Index of its windows; undefined: it has those of all others. */
  readonly windows: number | undefined
  readonly tags: number
}

export interface SumUsage {
  /** Hours in [from, to): they hold all windows. */
  readonly from: Hour
  readonly to: Hour
  readonly windows: Windows
  readonly groupBy: readonly SumGroup[]
  readonly filter: UsageFilter
  /** Lines of these accounts are left out. */
  readonly without: readonly string[]
  readonly limit: number
}

export interface SumUsageOfAll extends SumUsage {
  readonly places: readonly AccountPlace[]
  readonly placeWindows: readonly Windows[]
}

export interface SumUsageOfOne extends SumUsage {
  readonly bucket: number
  readonly account: string
}

/** Bills of these statement months. The windows are those of months, by number. */
export interface InMonths {
  /** `2025-07`. */
  readonly months: readonly string[]
}

/** Of a line `l`. */
const LINE = `l.account, l.component, l.item, l.rate, l.operation, l.project, l.region, l.unit,
             l.usage_hour <> l.hour as correction, l.quantity, l.waived, l.amount`
/** A statement month as a number. */
const MONTH = '(left(b.statement_month, 4)::int * 12 + right(b.statement_month, 2)::int - 1)'

/** From lines `line` with their hour or month `at`, and the windows and tags of their accounts, to sums. */
const SUMS = `
    keyed as (
      select base + width_bucket(at, starts) - 1 as win,
             (case when 'account' = any ($5::text[]) then account else '' end) collate "C" as account,
             (case when 'component' = any ($5) then component else '' end) collate "C" as component,
             case when 'item' = any ($5) then item else '' end as item,
             case when 'rate' = any ($5) then rate else '' end as rate,
             case when 'operation' = any ($5) then coalesce(operation, '') else '' end as operation,
             case when 'project' = any ($5) then coalesce(project, '') else '' end as project,
             case when 'region' = any ($5) then coalesce(region, '') else '' end as region,
             case when 'tags' = any ($5) then tags else 0 end as tags,
             case when 'correction' = any ($5) then correction else false end as correction,
             unit collate "C" as unit, quantity, waived, amount
        from placed
       where at >= starts[1] and at < starts[array_upper(starts, 1)]
         and ($6::text[] is null or account = any ($6)) and account <> all ($7::text[])
         and ($8::text[] is null or component = any ($8)) and ($9::text[] is null or item = any ($9))
         and ($10::text[] is null or rate = any ($10))
         and ($11::text[] is null or coalesce(operation, '') = any ($11))
         and ($12::text[] is null or coalesce(project, '') = any ($12))
         and ($13::text[] is null or coalesce(region, '') = any ($13)))
    select win, account, component, item, rate, operation, project, region, tags, correction, unit,
           trim_scale(sum(quantity))::text as quantity,
           trim_scale(sum(waived))::text as waived,
           trim_scale(sum(amount))::text as amount
      from keyed
     group by win, account, component, item, rate, operation, project, region, tags, correction, unit
     limit $14`

const PLACED_OF_ONE = `
    placed as (select line.*, $3::int as base, $4::int[] as starts, 0 as tags from line),`

const PLACED_OF_ALL = `
    own as materialized (
      select index, min(base) as base, array_agg(start order by start) as starts
        from unnest($18::int[], $19::int[], $20::int[]) as w (index, base, start)
       group by index),
    placed as (
      select line.*, coalesce(own.base, $3::int) as base, coalesce(own.starts, $4::int[]) as starts,
             coalesce(place.tags, 0) as tags
        from line
        left join unnest($15::text[], $16::int[], $17::int[]) as place (account, windows, tags)
          on place.account = line.account
        left join own on own.index = place.windows),`

function ofOne(name: string, lines: string): Query<SumUsageOfOne, RawSum, UsageSum> {
  return {
    name,
    text: `with line as (${lines}),${PLACED_OF_ONE}${SUMS}`,
    values: ({ bucket, account, ...ask }) => [...valuesOf(ask), bucket, account],
    decode: decodeSum,
  }
}

/** What an account's bills say, by the hour in which it happened: lines of the hours' own bills (one probe of the primary key an
 * hour) and the corrections of later ones (by the index bill_line_correction). */
export const sumUsageOfOne = ofOne(
  'sum_usage_of_one',
  `
      select own.*
        from generate_series($1::int, $2::int - 1) as h (hour)
       cross join lateral (
         select usage_hour as at, ${LINE}
           from bill_line l
          where hour = h.hour and hour >= $1 and hour < $2 and bucket = $15 and account = $16 and usage_hour = h.hour
         offset 0) own
      union all
      select usage_hour, ${LINE}
        from bill_line l
       where account = $16 and usage_hour >= $1 and usage_hour < $2 and usage_hour <> hour and hour > $1`,
)

/** What an account's bills say, by their cycles: one probe of the primary key an hour. */
export const sumBilledOfOne = ofOne(
  'sum_billed_of_one',
  `
      select own.*
        from generate_series($1::int, $2::int - 1) as h (hour)
       cross join lateral (
         select hour as at, ${LINE}
           from bill_line l
          where hour = h.hour and hour >= $1 and hour < $2 and bucket = $15 and account = $16
         offset 0) own`,
)

/** What the bills of an account's statement months say. */
export const sumStatementsOfOne: Query<SumUsageOfOne & InMonths, RawSum, UsageSum> = {
  name: 'sum_statements_of_one',
  text: `
    with line as (
      select ${MONTH} as at, ${LINE}
        from bill b
        join bill_line l on l.hour = b.hour and l.bucket = b.bucket and l.account = b.account
       where b.account = $16 and b.bucket = $15 and b.statement_month = any ($17)
         and b.hour < $2 and (b.hour >= $1 or b.late)),${PLACED_OF_ONE}${SUMS}`,
  values: ({ bucket, account, months, ...ask }) => [...valuesOf(ask), bucket, account, months],
  decode: decodeSum,
}

function ofAll(name: string, lines: string): Query<SumUsageOfAll, RawSum, UsageSum> {
  return {
    name,
    text: `with line as (${lines}),${PLACED_OF_ALL}${SUMS}`,
    values: valuesOfAll,
    decode: decodeSum,
  }
}

/** The same of all accounts, by the hour in which it happened: one range of the primary key, and the corrections of later hours
 * (by the index bill_line_correction_cycle). */
export const sumUsageOfAll = ofAll(
  'sum_usage_of_all',
  `
      select usage_hour as at, ${LINE}
        from bill_line l
       where hour >= $1::int and hour < $2::int and usage_hour = hour
      union all
      select usage_hour, ${LINE}
        from bill_line l
       where hour > $1 and usage_hour >= $1 and usage_hour < $2 and usage_hour <> hour`,
)

/** The same of all accounts, by the cycles of the bills. */
export const sumBilledOfAll = ofAll(
  'sum_billed_of_all',
  `
      select hour as at, ${LINE}
        from bill_line l
       where hour >= $1::int and hour < $2::int`,
)

/** What all bills of some statement months say. */
export const sumStatementsOfAll: Query<SumUsageOfAll & InMonths, RawSum, UsageSum> = {
  name: 'sum_statements_of_all',
  text: `
    with line as (
      select ${MONTH} as at, ${LINE}
        from bill b
        join bill_line l on l.hour = b.hour and l.bucket = b.bucket and l.account = b.account
       where b.statement_month = any ($21) and b.hour < $2 and (b.hour >= $1 or b.late)),${PLACED_OF_ALL}${SUMS}`,
  values: ({ months, ...ask }) => [...valuesOfAll(ask), months],
  decode: decodeSum,
}

interface RawSum extends Omit<UsageSum, 'window'> {
  readonly win: number
}

function decodeSum({ win, ...sum }: RawSum): UsageSum {
  return { window: win, ...sum }
}

function valuesOf({ from, to, windows, groupBy, filter, without, limit }: SumUsage): readonly unknown[] {
  const { account, component, item, rate, operation, project, region } = filter
  const names = [component, item, rate, operation, project, region].map((some) => some ?? null)
  return [from, to, windows.base, windows.starts, groupBy, account ?? null, without, ...names, limit]
}

function valuesOfAll({ places, placeWindows, ...ask }: SumUsageOfAll): readonly unknown[] {
  return [
    ...valuesOf(ask),
    places.map(({ account }) => account),
    places.map(({ windows }) => windows ?? null),
    places.map(({ tags }) => tags),
    // One row for each start of a window.
    placeWindows.flatMap(({ starts }, index) => starts.map(() => index)),
    placeWindows.flatMap(({ base, starts }) => starts.map(() => base)),
    placeWindows.flatMap(({ starts }) => starts),
  ]
}
