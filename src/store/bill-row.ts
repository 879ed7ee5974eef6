import type { BillHead, BillLine } from '../core/bill/bill.ts'
import { billId } from '../core/bill/bill-id.ts'
import type { Component } from '../core/rate/price-book/price-book.ts'
import type { Hour } from '../core/time/hour.ts'
import type { Instant } from '../core/time/instant.ts'

/** A stored bill without its lines. */
export interface StoredBill extends BillHead {
  readonly bucket: number
  readonly digest: string
  /** Its place among the account's settled hours: facts of later ones it has not seen. */
  readonly step: number
  readonly lineCount: number
}

export const BILL_COLUMNS = `hour, bucket, account, step, sequence, issued_at, currency, demo, late, statement_month,
  price_version, total, request, processing, storage, lines, events_digest, lines_digest, digest, previous_digest`

/** What the driver gives for BILL_COLUMNS: bigint and numeric as text. */
export interface RawBill {
  readonly hour: Hour
  readonly bucket: number
  readonly account: string
  readonly step: string
  readonly sequence: string
  readonly issued_at: string
  readonly currency: string
  readonly demo: boolean
  readonly late: boolean
  readonly statement_month: string
  readonly price_version: number
  readonly total: string
  readonly request: string
  readonly processing: string
  readonly storage: string
  readonly lines: number
  readonly events_digest: Buffer
  readonly lines_digest: Buffer
  readonly digest: Buffer
  readonly previous_digest: Buffer | null
}

export function decodeBill(raw: RawBill): StoredBill {
  return {
    id: billId(raw.account, raw.hour),
    account: raw.account,
    hour: raw.hour,
    bucket: raw.bucket,
    step: Number(raw.step),
    sequence: Number(raw.sequence),
    issuedAt: Number(raw.issued_at) as Instant,
    currency: raw.currency,
    demo: raw.demo,
    late: raw.late,
    statementMonth: raw.statement_month,
    priceVersion: raw.price_version,
    total: raw.total,
    components: { request: raw.request, processing: raw.processing, storage: raw.storage },
    lineCount: raw.lines,
    eventsDigest: raw.events_digest.toString('hex'),
    linesDigest: raw.lines_digest.toString('hex'),
    digest: raw.digest.toString('hex'),
    previousDigest: raw.previous_digest?.toString('hex') ?? null,
  }
}

export const LINE_COLUMNS = `number, component, item, rate, operation, project, region, usage_hour, quantity, unit,
  waived, pricing_quantity, pricing_unit, unit_price, list_price, price_list, tier, list_tier, position, stretch_from,
  amount, corrects, price_version`

export interface RawLine {
  readonly number: number
  readonly component: Component
  readonly item: string
  readonly rate: string
  readonly operation: string | null
  readonly project: string | null
  readonly region: string | null
  readonly usage_hour: Hour
  readonly quantity: string
  readonly unit: string
  readonly waived: string
  readonly pricing_quantity: string
  readonly pricing_unit: string
  readonly unit_price: string
  readonly list_price: string
  readonly price_list: string | null
  readonly tier: number | null
  readonly list_tier: number | null
  readonly position: string | null
  readonly stretch_from: Hour | null
  readonly amount: string
  readonly corrects: string | null
  readonly price_version: number
}

/** In the order of members in which lines are shown. */
export function decodeLine(raw: RawLine): BillLine {
  return {
    number: raw.number,
    component: raw.component,
    item: raw.item,
    rate: raw.rate,
    operation: raw.operation,
    project: raw.project,
    region: raw.region,
    usageHour: raw.usage_hour,
    quantity: raw.quantity,
    unit: raw.unit,
    waived: raw.waived,
    pricingQuantity: raw.pricing_quantity,
    pricingUnit: raw.pricing_unit,
    unitPrice: raw.unit_price,
    listPrice: raw.list_price,
    priceList: raw.price_list,
    tier: raw.tier,
    listTier: raw.list_tier,
    position: raw.position,
    stretchFrom: raw.stretch_from,
    amount: raw.amount,
    corrects: raw.corrects,
    priceVersion: raw.price_version,
  }
}
