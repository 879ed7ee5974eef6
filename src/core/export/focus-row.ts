import type { BillHead, BillLine } from '../bill/bill.ts'
import { decimal, minus, plain, times } from '../money/decimal.ts'
import type { Component } from '../rate/price-book/price-book.ts'
import { formatHourStart, type Hour, next } from '../time/hour.ts'
import { focusUnit } from './focus-unit.ts'
import type { ExportRow, ExportTable } from './table.ts'

/** What a row says besides its bill and line. */
export interface FocusContext {
  /** Who provides the service, and who issues the invoice. */
  readonly provider: string
  readonly service: string
  /** What the account is called; null: by its id. */
  readonly accountName: string | null
  /** The hours of the statement month: [from, to). */
  readonly period: { readonly from: Hour; readonly to: Hour }
  /** Does the usage month lie before the statement month? */
  readonly isCorrection: boolean
}

/** What is metered, by component. */
const METERS: Readonly<Record<Component, string>> = {
  request: 'Requests',
  processing: 'Data processing',
  storage: 'Stored data',
}

type Billed = Pick<BillHead, 'id' | 'account' | 'statementMonth' | 'currency'>

/** The values of one row, by column. */
type Values = Readonly<Record<string, string | null>>

/** A bill's line as a charge of FOCUS, in the columns of a version. */
export function focusRow(
  { columns }: ExportTable,
  bill: BillHead & { readonly digest: string },
  line: BillLine,
  context: FocusContext,
): ExportRow {
  const values: Values = {
    ...accountValues(bill, context),
    ...costValues(line),
    ...skuValues(line),
    ChargeCategory: 'Usage',
    ChargeClass: context.isCorrection ? 'Correction' : null,
    ChargeDescription: describe(line),
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: formatHourStart(line.usageHour),
    ChargePeriodEnd: formatHourStart(next(line.usageHour)),
    ConsumedQuantity: line.quantity,
    ConsumedUnit: focusUnit(line.unit),
    RegionId: line.region,
    RegionName: line.region,
    SubAccountId: line.project,
    SubAccountName: line.project,
    SubAccountType: line.project === null ? null : 'Project',
    x_Operation: line.operation,
    x_BillId: bill.id,
    x_LineNumber: String(line.number),
    x_BillDigest: bill.digest,
    x_UsageHour: formatHourStart(line.usageHour),
  }
  return columns.map(({ name }) => values[name] ?? null)
}

/** Columns that all charges of an account and month share. */
function accountValues(bill: Billed, { provider, service, accountName, period }: FocusContext): Values {
  return {
    BillingAccountId: bill.account,
    BillingAccountName: accountName ?? bill.account,
    BillingAccountType: 'Account',
    BillingCurrency: bill.currency,
    BillingPeriodStart: formatHourStart(period.from),
    BillingPeriodEnd: formatHourStart(period.to),
    HostProviderName: provider,
    InvoiceDetailId: null,
    InvoiceId: invoiceId(bill.id, bill.statementMonth),
    InvoiceIssuerName: provider,
    ProviderName: provider,
    PublisherName: provider,
    ServiceCategory: 'Other',
    ServiceName: service,
    ServiceProviderName: provider,
    ServiceSubcategory: 'Other (Other)',
  }
}

/** The id of the statement that a bill is in: `2025-07.acme`, with the account as bills' ids write it. */
export function invoiceId(billId: string, statementMonth: string): string {
  return `${statementMonth}${billId.slice(billId.indexOf('.'))}`
}

/**
 * The costs by the rules of FOCUS: list and contracted cost are the products of the printed quantity and unit price, to the last
 * digit. What is billed is the line's amount, which is made of the exact quantity: the difference is told.
 */
function costValues({ amount, pricingQuantity, listPrice, unitPrice }: BillLine): Values {
  const quantity = decimal(pricingQuantity)
  const contracted = times(quantity, decimal(unitPrice))
  return {
    BilledCost: amount,
    EffectiveCost: amount,
    ContractedCost: plain(contracted),
    ListCost: plain(times(quantity, decimal(listPrice))),
    x_CostDifference: plain(minus(decimal(amount), contracted)),
  }
}

function skuValues(line: BillLine): Values {
  const { item, rate, tier, listTier, priceList, unitPrice, listPrice, priceVersion } = line
  const sku = `${encodeURIComponent(item)}/${encodeURIComponent(rate)}`
  return {
    ContractedUnitPrice: unitPrice,
    ListUnitPrice: listPrice,
    PricingCategory: 'Standard',
    PricingQuantity: line.pricingQuantity,
    PricingUnit: focusUnit(line.pricingUnit),
    SkuId: sku,
    SkuMeter: METERS[line.component],
    SkuPriceId: `${sku}#${priceTerms(line)}`,
    SkuPriceDetails: JSON.stringify({
      x_Rate: rate,
      x_PriceVersion: priceVersion,
      ...(priceList === null ? {} : { x_PriceList: priceList }),
      ...(tier === null ? {} : { x_Tier: tier }),
      ...(listTier === null ? {} : { x_ListTier: listTier }),
      x_UnitPrice: unitPrice,
      x_ListUnitPrice: listPrice,
    }),
  }
}

/** One price, one id: it differs by tier, by price list, by unit and by price. */
function priceTerms({ tier, listTier, priceList, unitPrice, listPrice, pricingUnit }: BillLine): string {
  const terms = [
    priceList === null ? [] : [`list=${encodeURIComponent(priceList)}`],
    tier === null ? [] : [`tier=${tier}`],
    listTier === null ? [] : [`listTier=${listTier}`],
    [`per=${encodeURIComponent(pricingUnit)}`, `price=${unitPrice}`],
    listPrice === unitPrice ? [] : [`listPrice=${listPrice}`],
  ]
  return terms.flat().join(';')
}

function describe({
  item,
  rate,
  operation,
  pricingQuantity,
  pricingUnit,
  unitPrice,
  tier,
  priceList,
}: BillLine): string {
  const what = rate === 'default' ? item : `${item} (${rate})`
  const of = operation === null ? what : `${what}, ${operation}`
  const by = [
    tier === null ? [] : [`tier ${tier}`],
    priceList === null ? [] : [`price list ${priceList}`],
  ].flat()
  const terms = by.length === 0 ? '' : ` (${by.join(', ')})`
  return `${of}: ${pricingQuantity} x ${pricingUnit} at ${unitPrice}${terms}`
}

/** A row of a statement that belongs to no hour: rounding, a minimum, an adjustment. */
export interface StatementCharge {
  readonly statementId: string
  readonly number: number
  readonly digest: string
  readonly account: string
  readonly statementMonth: string
  readonly currency: string
  readonly kind: 'rounding' | 'minimum' | 'adjustment'
  readonly description: string
  readonly amount: string
}

/** Such a row as a charge of FOCUS: without quantities and unit prices. One that gives back for no usage is a credit. */
export function focusStatementRow(
  { columns }: ExportTable,
  charge: StatementCharge,
  context: FocusContext,
): ExportRow {
  const { amount, kind, description } = charge
  const isCredit = kind === 'adjustment' && amount.startsWith('-')
  const bill = { ...charge, id: charge.statementId }
  const values: Values = {
    ...accountValues(bill, context),
    BilledCost: amount,
    EffectiveCost: amount,
    ContractedCost: amount,
    ListCost: amount,
    InvoiceId: charge.statementId,
    ChargeCategory: isCredit ? 'Credit' : 'Adjustment',
    ChargeDescription: description,
    ChargeFrequency: 'One-Time',
    ChargePeriodStart: formatHourStart(context.period.from),
    ChargePeriodEnd: formatHourStart(context.period.to),
    x_CostDifference: '0',
    x_BillId: charge.statementId,
    x_LineNumber: String(charge.number),
    x_BillDigest: charge.digest,
  }
  return columns.map(({ name }) => values[name] ?? null)
}
