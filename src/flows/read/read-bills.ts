import type { BillLine } from '../../core/bill/bill.ts'
import { bucketOf } from '../../core/ingest/bucket.ts'
import { type Hour, next } from '../../core/time/hour.ts'
import type { StoredBill } from '../../store/bill-row.ts'
import { run, runOne, type Sql } from '../../store/query.ts'
import { listAccountBills, findBillRow, listBillRows } from '../../store/bills.ts'
import { listBillLines } from '../../store/bill-lines.ts'
import { type Page, pageOf } from '../shared/page.ts'

/** The key of a bill in lists. */
export type BillPosition = readonly [hour: number, bucket: number, account: string]

export interface ListBills {
  /** Undefined: of all accounts. */
  readonly account: string | undefined
  /** Cycles that start in [from, to). */
  readonly from: Hour
  readonly to: Hour
  readonly after: BillPosition | undefined
  readonly limit: number
}

/** Bills by cycle, oldest first, without their lines. */
export async function listBills(
  sql: Sql,
  { account, from, to, after, limit }: ListBills,
): Promise<Page<StoredBill, BillPosition>> {
  const asked = limit + 1
  const bills =
    account === undefined
      ? await run(sql, listBillRows, { from, to, limit: asked, after: after && keyOf(after) })
      : await run(sql, listAccountBills, {
          account,
          from: after ? (Math.max(from, next(after[0] as Hour)) as Hour) : from,
          to,
          limit: asked,
        })
  return pageOf(bills, limit, (bill) => [bill.hour, bill.bucket, bill.account])
}

function keyOf([hour, bucket, account]: BillPosition) {
  return { hour: hour as Hour, bucket, account }
}

/** The bill of an account and an hour, without its lines. */
export function findBill(
  sql: Sql,
  { account, hour }: { readonly account: string; readonly hour: Hour },
): Promise<StoredBill | undefined> {
  return runOne(sql, findBillRow, { account, hour, bucket: bucketOf(account) })
}

/** Lines of a bill in their order. A position is the number of a line. */
export async function listLines(
  sql: Sql,
  bill: StoredBill,
  after: number,
  limit: number,
): Promise<Page<BillLine, number>> {
  const lines = await run(sql, listBillLines, { bill, after, limit: limit + 1 })
  return pageOf(lines, limit, (line) => line.number)
}

/** One line, by its number from 1. */
export async function findLine(sql: Sql, bill: StoredBill, number: number): Promise<BillLine | undefined> {
  const line = await runOne(sql, listBillLines, { bill, after: number - 1, limit: 1 })
  return line?.number === number ? line : undefined
}
