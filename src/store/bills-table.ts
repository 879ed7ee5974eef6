import type pg from 'pg'
import type { Bill, BillLine } from '../core/bill/bill.ts'
import type { Level } from '../core/meter/level.ts'
import { plain } from '../core/money/decimal.ts'
import type { Hour } from '../core/time/hour.ts'
import { type CopyFields, CopyRows } from './copy.ts'
import { insertStorageSeries, type StorageSeries } from './storage-series.ts'
import { run } from './query.ts'

const COPY_BILLS = `
  copy bill (hour, bucket, account, step, sequence, issued_at, currency, demo, late, statement_month, price_version,
             total, request, processing, storage, lines, events_digest, lines_digest, digest, previous_digest)
  from stdin`
const COPY_LINES = `
  copy bill_line (hour, bucket, account, number, component, item, rate, operation, project, region, usage_hour,
                  quantity, unit, waived, pricing_quantity, pricing_unit, unit_price, list_price, price_list, tier,
                  list_tier, position, stretch_from, amount, corrects, price_version)
  from stdin`
const COPY_SETTLED_HOURS = `
  copy settled_hour (hour, bucket, account, step, price_version, events_digest, chunk) from stdin`
const COPY_LEVELS = `
  copy storage_level (bucket, account, project, dataset, region, at, source, id, bytes, step) from stdin`

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
  /** Of the log: all of a chunk are one leaf. */
  readonly chunk: number
}

export interface SettledLevel extends Settled {
  readonly account: string
  readonly level: Level
}

/** Everything that settling some accounts of an hour adds: rows already, so that no bill is kept in memory. */
export class Settlement {
  readonly #bills = new CopyRows()
  readonly #lines = new CopyRows()
  readonly #hours = new CopyRows()
  readonly #levels = new CopyRows()
  readonly #series: StorageSeries[] = []
  #lineCount = 0

  /** Lines that wait to be stored. */
  get lines(): number {
    return this.#lineCount
  }

  addBill(settled: SettledBill): void {
    const { bucket, bill } = settled
    this.#lineCount += bill.lines.length
    for (const line of bill.lines) this.#lines.add(lineRow(bill, bucket, line))
    this.#bills.add(billRow(settled))
  }

  addHourWithoutBill(settled: SettledWithoutBill): void {
    this.#hours.add(withoutBillRow(settled))
  }

  addLevel(settled: SettledLevel): void {
    const { bucket, account, level } = settled
    this.#levels.add(levelRow(settled))
    this.#series.push({ ...level, bucket, account })
  }

  /** Store it. A second bill for one account and hour fails the transaction: there is one. */
  async copyInto(client: pg.PoolClient): Promise<void> {
    await this.#lines.copyInto(client, COPY_LINES)
    await this.#bills.copyInto(client, COPY_BILLS)
    await this.#hours.copyInto(client, COPY_SETTLED_HOURS)
    await this.#levels.copyInto(client, COPY_LEVELS)
    if (this.#series.length > 0) await run(client, insertStorageSeries, this.#series)
  }
}

function billRow({ bucket, step, bill }: SettledBill): CopyFields {
  const { total, components } = bill
  return [
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
  ]
}

function lineRow({ hour, account }: Bill, bucket: number, line: BillLine): CopyFields {
  return [
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
    line.listPrice,
    line.priceList,
    line.tier,
    line.listTier,
    line.position,
    line.stretchFrom,
    line.amount,
    line.corrects,
    line.priceVersion,
  ]
}

function withoutBillRow({
  hour,
  bucket,
  account,
  step,
  priceVersion,
  eventsDigest,
  chunk,
}: SettledWithoutBill): CopyFields {
  return [hour, bucket, account, step, priceVersion, bytea(eventsDigest), chunk]
}

function levelRow({ bucket, account, step, level }: SettledLevel): CopyFields {
  const { project, dataset, region, at, source, id, bytes } = level
  return [bucket, account, project ?? '', dataset ?? '', region ?? '', at, source, id, plain(bytes), step]
}

function bytea(hexadecimal: string): string {
  return `\\x${hexadecimal}`
}
