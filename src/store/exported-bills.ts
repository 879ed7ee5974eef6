import type { BillLine } from '../core/bill/bill.ts'
import type { ZoneHistory } from '../core/time/zone-history.ts'
import { readZones } from './account-profile.ts'
import {
  BILL_COLUMNS,
  decodeBill,
  decodeLine,
  LINE_COLUMNS,
  type RawBill,
  type RawLine,
  type StoredBill,
} from './bill-row.ts'
import type { FindBillRow } from './bills.ts'
import type { Query } from './query.ts'

export interface ListStatementBills {
  /** Only this account; null: all. */
  readonly account: string | null
  /** Statement months in [from, to), as `2025-07`. */
  readonly from: string
  readonly to: string
  /** The last bill of the page before. */
  readonly after: (FindBillRow & { readonly statementMonth: string }) | undefined
  readonly limit: number
}

/** Bills by statement month, then by cycle: a range of the index bill_statement. */
export const listStatementBills: Query<ListStatementBills, RawBill, StoredBill> = {
  name: 'list_statement_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where statement_month >= $1 and statement_month < $2
       and statement_month >= $3 and (statement_month, hour, bucket, account) > ($3, $4, $5, $6)
     order by statement_month, hour, bucket, account
     limit $7`,
  values: ({ from, to, after, limit }) => {
    const start = after ?? { statementMonth: from, hour: -1, bucket: -1, account: '' }
    return [from, to, start.statementMonth, start.hour, start.bucket, start.account, limit]
  },
  decode: decodeBill,
}

/** The same of one account: its bills are found by the index bill_account, and put in order. */
export const listAccountStatementBills: Query<ListStatementBills, RawBill, StoredBill> = {
  name: 'list_account_statement_bills',
  text: `
    select ${BILL_COLUMNS}
      from bill
     where account = $1 and statement_month >= $2 and statement_month < $3
       and (statement_month, hour) > ($4, $5)
     order by statement_month, hour
     limit $6`,
  values: ({ account, from, to, after, limit }) => [
    account,
    from,
    to,
    after?.statementMonth ?? '',
    after?.hour ?? -1,
    limit,
  ],
  decode: decodeBill,
}

export interface LineOfBill {
  /** The place of its bill among those that were asked for. */
  readonly place: number
  readonly line: BillLine
}

/** All lines of a few bills, in the order of the bills and of their lines: a range of the primary key each. */
export const listLinesOfBills: Query<
  readonly FindBillRow[],
  RawLine & { readonly place: string },
  LineOfBill
> = {
  name: 'list_lines_of_bills',
  text: `
    select b.place, l.*
      from unnest($1::int[], $2::smallint[], $3::text[]) with ordinality as b (hour, bucket, account, place)
     cross join lateral (
       select ${LINE_COLUMNS}
         from bill_line l
        where l.hour = b.hour and l.bucket = b.bucket and l.account = b.account) l
     order by b.place, l.number`,
  values: (bills) => [
    bills.map(({ hour }) => hour),
    bills.map(({ bucket }) => bucket),
    bills.map(({ account }) => account),
  ],
  decode: ({ place, ...raw }) => ({ place: Number(place) - 1, line: decodeLine(raw) }),
}

export interface ExportedAccount {
  readonly account: string
  readonly name: string | null
  readonly timeZones: ZoneHistory
}

interface RawAccount {
  readonly account: string
  readonly name: string | null
  readonly time_zones: string
}

/** Names and time zones of some accounts; none of those without a profile. */
export const listExportedAccounts: Query<readonly string[], RawAccount, ExportedAccount> = {
  name: 'list_exported_accounts',
  text: `select account, name, time_zones from account_profile where account = any ($1)`,
  values: (accounts) => [accounts],
  decode: ({ account, name, time_zones }) => ({ account, name, timeZones: readZones(time_zones) }),
}
