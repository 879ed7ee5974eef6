import type pg from 'pg'
import type { Bill, BillLine } from '../core/bill/bill.ts'
import type { Level } from '../core/meter/level.ts'
import { plain } from '../core/money/decimal.ts'
import type { Hour } from '../core/time/hour.ts'
import { copyIn, copyRow } from './copy.ts'
import { addStorageSeries } from './queries/add-storage-series.ts'
import { run } from './query.ts'

const COPY_BILLS = `
  copy bill (hour, bucket, account, step, sequence, issued_at, currency, demo, late, statement_month, price_version,
             total, request, processing, storage, lines, events_digest, lines_digest, digest, previous_digest)
  from stdin`
const COPY_LINES = `
  copy bill_line (hour, bucket, account, number, component, item, rate, operation, project, region, usage_hour,
                  quantity, unit, waived, pricing_quantity, pricing_unit, unit_price, amount, corrects, price_version)
  from stdin`
const COPY_SETTLED_HOURS = `
  copy settled_hour (hour, bucket, account, step, price_version, events_digest) from stdin`
const COPY_LEVELS = `
  copy storage_level (bucket, account, project, dataset, at, source, id, region, bytes, step) from stdin`

interface Settled {
  readonly bucket: number
  /** The account's settled hours so far, this one included. */
  readonly step: number
}

export interface SettledBill extends Settled {
  readonly bill: Bill
}

/** An account-hour whose events came to no line. */
export interface SettledWithoutBill extends Settled {
  readonly hour: Hour
  readonly account: string
  readonly priceVersion: number
  readonly eventsDigest: string
}

export interface SettledLevel extends Settled {
  readonly account: string
  readonly level: Level
}

/** Everything that settling some accounts of an hour adds. */
export interface Settlement {
  readonly bills: readonly SettledBill[]
  readonly withoutBill: readonly SettledWithoutBill[]
  readonly levels: readonly SettledLevel[]
}

/** Store settled account-hours. A second bill for one account and hour fails the transaction: there is one. */
export async function copySettlement(client: pg.PoolClient, settled: Settlement): Promise<void> {
  const { bills, withoutBill, levels } = settled
  await copyIn(
    client,
    COPY_LINES,
    bills.flatMap(({ bucket, bill }) => bill.lines.map((line) => lineRow(bill, bucket, line))),
  )
  await copyIn(client, COPY_BILLS, bills.map(billRow))
  await copyIn(client, COPY_SETTLED_HOURS, withoutBill.map(withoutBillRow))
  await copyIn(client, COPY_LEVELS, levels.map(levelRow))
  if (levels.length > 0) {
    await run(
      client,
      addStorageSeries,
      levels.map(({ bucket, account, level }) => ({ ...level, bucket, account })),
    )
  }
}

function billRow({ bucket, step, bill }: SettledBill): string {
  const { total, components } = bill
  return copyRow([
    bill.hour,
    bucket,
    bill.account,
    step,
    bill.sequence,
    bill.issuedAt,
    bill.currency,
    bill.demo,
    bill.late,
    bill.statementMonth,
    bill.priceVersion,
    total,
    components.request,
    components.processing,
    components.storage,
    bill.lines.length,
    bytea(bill.eventsDigest),
    bytea(bill.linesDigest),
    bytea(bill.digest),
    bill.previousDigest && bytea(bill.previousDigest),
  ])
}

function lineRow({ hour, account }: Bill, bucket: number, line: BillLine): string {
  return copyRow([
    hour,
    bucket,
    account,
    line.number,
    line.component,
    line.item,
    line.rate,
    line.operation,
    line.project,
    line.region,
    line.usageHour,
    line.quantity,
    line.unit,
    line.waived,
    line.pricingQuantity,
    line.pricingUnit,
    line.unitPrice,
    line.amount,
    line.corrects,
    line.priceVersion,
  ])
}

function withoutBillRow({
  hour,
  bucket,
  account,
  step,
  priceVersion,
  eventsDigest,
}: SettledWithoutBill): string {
  return copyRow([hour, bucket, account, step, priceVersion, bytea(eventsDigest)])
}

function levelRow({ bucket, account, step, level }: SettledLevel): string {
  const { project, dataset, region, at, source, id, bytes } = level
  return copyRow([
    bucket,
    account,
    project ?? '',
    dataset ?? '',
    at,
    source,
    id,
    region ?? '',
    plain(bytes),
    step,
  ])
}

function bytea(hexadecimal: string): string {
  return `\\x${hexadecimal}`
}
