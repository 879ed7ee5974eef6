import {
  amount,
  type ExportColumn,
  type ExportTable,
  instant,
  integer,
  json,
  product,
  quantity,
  text,
} from './table.ts'

/** Versions of the FinOps Open Cost and Usage Specification in which charges can be asked for. */
export const FOCUS_VERSIONS = ['1.2', '1.3', '1.4'] as const
export type FocusVersion = (typeof FOCUS_VERSIONS)[number]

/** A column, and the versions that have it; undefined: all. */
type Versioned = readonly [column: ExportColumn, versions?: readonly FocusVersion[]]

const OLD: readonly FocusVersion[] = ['1.2', '1.3']
const NEW: readonly FocusVersion[] = ['1.3', '1.4']

/**
 * Cost and Usage, in the order of the specification. Left out are the columns of what Farthing does not have: availability
 * zones, capacity reservations, commitments, contracts, provisioned resources, split costs, tags of usage, other
 * currencies of prices.
 */
const CHARGES: readonly Versioned[] = [
  [amount('BilledCost')],
  [text('BillingAccountId')],
  [text('BillingAccountName')],
  [text('BillingAccountType')],
  [text('BillingCurrency')],
  [instant('BillingPeriodEnd')],
  [instant('BillingPeriodStart')],
  [text('ChargeCategory')],
  [text('ChargeClass')],
  [text('ChargeDescription')],
  [text('ChargeFrequency')],
  [instant('ChargePeriodEnd')],
  [instant('ChargePeriodStart')],
  [quantity('ConsumedQuantity')],
  [text('ConsumedUnit')],
  [product('ContractedCost')],
  [amount('ContractedUnitPrice')],
  [amount('EffectiveCost')],
  [text('HostProviderName'), NEW],
  [text('InvoiceDetailId'), ['1.4']],
  [text('InvoiceId')],
  [text('InvoiceIssuerName')],
  [product('ListCost')],
  [amount('ListUnitPrice')],
  [text('PricingCategory')],
  [quantity('PricingQuantity')],
  [text('PricingUnit')],
  [text('ProviderName'), OLD],
  [text('PublisherName'), OLD],
  [text('RegionId')],
  [text('RegionName')],
  [text('ServiceCategory')],
  [text('ServiceName')],
  [text('ServiceProviderName'), NEW],
  [text('ServiceSubcategory')],
  [text('SkuId')],
  [text('SkuMeter')],
  [json('SkuPriceDetails')],
  [text('SkuPriceId')],
  [text('SubAccountId')],
  [text('SubAccountName')],
  [text('SubAccountType')],
  [text('x_Operation')],
  [product('x_CostDifference')],
  [text('x_BillId')],
  [integer('x_LineNumber')],
  [text('x_BillDigest')],
  [instant('x_UsageHour')],
]

const BY_VERSION = new Map<FocusVersion, ExportTable>(
  FOCUS_VERSIONS.map((version) => [
    version,
    {
      name: 'charges',
      columns: CHARGES.filter(([, versions]) => versions?.includes(version) ?? true).map(
        ([column]) => column,
      ),
    },
  ]),
)

export function focusCharges(version: FocusVersion): ExportTable {
  return BY_VERSION.get(version)!
}
