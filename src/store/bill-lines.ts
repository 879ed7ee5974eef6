import type { BillLine } from '../core/bill/bill.ts'
import { decodeLine, LINE_COLUMNS, type RawLine } from './bill-row.ts'
import type { Query } from './query.ts'
import type { FindBillRow, ReadHour } from './bills.ts'
import type { Hour } from '../core/time/hour.ts'
import { type Decimal, decimal } from '../core/money/decimal.ts'
import type { Instant } from '../core/time/instant.ts'
import type { Place } from './storage-levels.ts'

export interface ListBillLines {
  readonly bill: FindBillRow
  /** Numbers above this one; 0 for the first. */
  readonly after: number
  readonly limit: number
}

/** Lines of one bill in their order: a range of the primary key. */
export const listBillLines: Query<ListBillLines, RawLine, BillLine> = {
  name: 'list_bill_lines',
  text: `
    select ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = $2 and account = $3 and number > $4
     order by number
     limit $5`,
  values: ({ bill, after, limit }) => [bill.hour, bill.bucket, bill.account, after, limit],
  decode: decodeLine,
}

export interface AccountLine {
  readonly account: string
  readonly line: BillLine
}

/** The lines of all bills of an hour, in the order of the bills and of their lines. */
export const listHourLines: Query<ReadHour, RawLine & { readonly account: string }, AccountLine> = {
  name: 'list_hour_lines',
  text: `
    select account, ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = any ($2) and ($3::text is null or account = $3)
     order by bucket, account, number`,
  values: ({ hour, buckets, account }) => [hour, buckets, account],
  decode: ({ account, ...raw }) => ({ account, line: decodeLine(raw) }),
}

/** What a line's key says, without item and rate. */
export interface FindLines {
  readonly bill: FindBillRow
  readonly usageHour: Hour
  readonly component: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
}

/** The lines of a bill that an event of this place may be on: one for each item that charges the operation. */
export const findLines: Query<FindLines, RawLine, BillLine> = {
  name: 'find_lines',
  text: `
    select ${LINE_COLUMNS}
      from bill_line
     where hour = $1 and bucket = $2 and account = $3
       and usage_hour = $4 and component = $5
       and operation is not distinct from $6
       and project is not distinct from $7
       and region is not distinct from $8
     order by number
     limit 1000`,
  values: ({ bill, usageHour, component, operation, project, region }) => [
    bill.hour,
    bill.bucket,
    bill.account,
    usageHour,
    component,
    operation,
    project,
    region,
  ],
  decode: decodeLine,
}

export interface ListChargedStorage {
  readonly bucket: number
  readonly account: string
  /** Usage hours in [from, to). */
  readonly from: Hour
  readonly to: Hour
  /** Bills of lower steps only; null: all. */
  readonly beforeStep: number | null
  /** Only of these projects and regions; null: of all. */
  readonly places: readonly Place[] | null
}

export interface ChargedStorage {
  readonly usageHour: Hour
  readonly item: string
  readonly rate: string
  readonly project: string | null
  readonly region: string | null
  /** Byte-milliseconds, summed over all bills. */
  readonly quantity: Decimal
}

interface Raw {
  usage_hour: Hour
  item: string
  rate: string
  project: string | null
  region: string | null
  quantity: string
}

/** What an account's bills say so far about what it stored in a range of hours. */
export const listChargedStorage: Query<ListChargedStorage, Raw, ChargedStorage> = {
  name: 'list_charged_storage',
  text: `
    select l.usage_hour, l.item, l.rate, l.project, l.region, sum(l.quantity)::text as quantity
      from bill b
      join bill_line l on l.hour = b.hour and l.bucket = b.bucket and l.account = b.account
     where b.account = $2 and b.bucket = $1 and b.hour >= $3 and ($5::bigint is null or b.step < $5)
       and l.component = 'storage' and l.usage_hour >= $3 and l.usage_hour < $4
       and ($6::text[] is null
            or (coalesce(l.project, ''), coalesce(l.region, '')) in (select * from unnest($6, $7::text[])))
     group by l.usage_hour, l.item, l.rate, l.project, l.region`,
  values: ({ bucket, account, from, to, beforeStep, places }) => [
    bucket,
    account,
    from,
    to,
    beforeStep,
    places && places.map(({ project }) => project ?? ''),
    places && places.map(({ region }) => region ?? ''),
  ],
  decode: ({ usage_hour, quantity, ...raw }) => ({
    ...raw,
    usageHour: usage_hour,
    quantity: decimal(quantity),
  }),
}

export interface ListBilledBefore extends Omit<FindBillRow, 'hour'> {
  /** Bills of lower steps only. */
  readonly step: number
  /** A line of stored data: others of its usage hour and key are looked for. */
  readonly line: Pick<BillLine, 'usageHour' | 'item' | 'rate' | 'project' | 'region'>
}

/** A line of an older bill that said something of the same hour and key. */
export interface BilledBefore {
  /** The cycle of its bill. */
  readonly hour: Hour
  readonly number: number
  readonly issuedAt: Instant
  /** Byte-milliseconds that it said: the line in question takes them off. */
  readonly quantity: Decimal
}

interface RawBilledBefore {
  hour: Hour
  number: number
  issued_at: string
  quantity: string
}

/** What older bills of an account said of one hour's storage under the key of a line, in the order of their issue. */
export const listBilledBefore: Query<ListBilledBefore, RawBilledBefore, BilledBefore> = {
  name: 'list_billed_before',
  text: `
    select b.hour, l.number, b.issued_at, l.quantity
      from bill b
      join bill_line l on l.hour = b.hour and l.bucket = b.bucket and l.account = b.account
     where b.account = $2 and b.bucket = $1 and b.hour >= $3 and b.step < $4
       and l.component = 'storage' and l.usage_hour = $3 and l.item = $5 and l.rate = $6
       and l.project is not distinct from $7 and l.region is not distinct from $8
     order by b.step`,
  values: ({ bucket, account, step, line: { usageHour, item, rate, project, region } }) => [
    bucket,
    account,
    usageHour,
    step,
    item,
    rate,
    project,
    region,
  ],
  decode: ({ issued_at, quantity, ...raw }) => ({
    ...raw,
    issuedAt: Number(issued_at) as Instant,
    quantity: decimal(quantity),
  }),
}
