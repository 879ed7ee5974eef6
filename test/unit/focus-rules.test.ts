import { describe, expect, test } from 'vitest'
import type { BillHead, BillLine } from '../../src/core/bill/bill.ts'
import { billId } from '../../src/core/bill/bill-id.ts'
import { FOCUS_VERSIONS, focusCharges } from '../../src/core/export/focus-columns.ts'
import { focusRow, focusStatementRow } from '../../src/core/export/focus-row.ts'
import { parseHour } from '../../src/core/time/hour.ts'
import type { Cell, Dataset } from '../focus/checks.ts'
import { isProduct } from '../focus/checks.ts'
import { type Report, RULES, runRules } from '../focus/rules.ts'

// Guarantee: charges follow the rules of the FinOps Foundation, run from its own model; and the tool that runs them finds a broken
// file of each kind.

/** What Farthing has. It has no zones, reservations, commitments, provisioned resources, tags of usage or other currencies. */
export const SUPPORTED = new Set([
  'ACCOUNT_NAMING_SUPPORTED',
  'MULTIPLE_PRICING_CATEGORIES_SUPPORTED',
  'MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED',
  'MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED',
  'NEGOTIATED_PRICING_SUPPORTED',
  'PUBLIC_PRICE_LIST_SUPPORTED',
  'USAGE_MEASUREMENT_SUPPORTED',
  'UNIT_PRICING_SUPPORTED',
  'SUB_ACCOUNT_SUPPORTED',
  'REGION_SUPPORTED',
])

const HOUR = parseHour('2025-07-28T03Z')!
const PERIOD = { from: parseHour('2025-07-01T00Z')!, to: parseHour('2025-08-01T00Z')! }
const TABLE = focusCharges('1.2')

const LINE: BillLine = {
  number: 1,
  component: 'request',
  item: 'StandardQueryL0',
  rate: 'default',
  operation: 'SimpleQuery',
  project: 'photos',
  region: 'eu',
  usageHour: HOUR,
  quantity: '7',
  unit: 'call',
  waived: '1',
  pricingQuantity: '0.007',
  pricingUnit: '1000 call',
  unitPrice: '0.005',
  listPrice: '0.005',
  priceList: null,
  tier: null,
  listTier: null,
  position: null,
  stretchFrom: null,
  amount: '0.000035',
  corrects: null,
  priceVersion: 1,
}

const LINES: readonly Partial<BillLine>[] = [
  {},
  { number: 2, project: null, region: null },
  {
    number: 3,
    usageHour: parseHour('2025-06-30T23Z')!,
    quantity: '-7',
    pricingQuantity: '-0.007',
    amount: '-0.000035',
  },
  { number: 4, usageHour: parseHour('2025-07-27T03Z')!, corrects: '2025-07-27T03Z.acme' },
  {
    number: 5,
    quantity: '20000',
    unit: 'millisecond',
    pricingUnit: 'minute',
    pricingQuantity: '0.333333333333',
    unitPrice: '0.01',
    listPrice: '0.01',
    amount: '0.003333333333',
  },
  {
    number: 6,
    component: 'storage',
    item: 'Index',
    operation: null,
    unit: 'byte-millisecond',
    pricingUnit: 'GB-hour',
    quantity: '123456789012345678901234',
    pricingQuantity: '34293552.503429355251',
    unitPrice: '0.00000000002',
    listPrice: '0.0000000001',
    amount: '0.00068587105',
    tier: 2,
    listTier: 1,
    priceList: 'partners',
  },
  {
    number: 7,
    pricingQuantity: '0.000000000001',
    unitPrice: '0.000001',
    listPrice: '0.000001',
    amount: '0.000000000000000001',
  },
  ...['000123', '1e5', '=1+1', '-7', 'a,"b', 'line\nbreak', '照片', 'תמונות'].map((project, index) => ({
    project,
    number: 8 + index,
  })),
]

function bill(account = 'acme'): BillHead & { readonly digest: string } {
  const head = { account, hour: HOUR, statementMonth: '2025-07', currency: 'USD', digest: 'ab'.repeat(32) }
  return { ...head, id: billId(account, HOUR) } as BillHead & { readonly digest: string }
}

const CONTEXT = { provider: 'imm', service: 'imm', accountName: null, period: PERIOD }

function rows(version = TABLE): readonly Readonly<Record<string, Cell>>[] {
  const lines = LINES.map((line) => ({ ...LINE, ...line }))
  const usage = lines.map((line) =>
    focusRow(version, bill(), line, { ...CONTEXT, isCorrection: line.usageHour < PERIOD.from }),
  )
  const own = (['rounding', 'minimum', 'adjustment'] as const).map((kind, index) =>
    focusStatementRow(
      version,
      {
        statementId: '2025-07.acme',
        number: index + 1,
        digest: 'cd'.repeat(32),
        account: 'acme',
        statementMonth: '2025-07',
        currency: 'USD',
        kind,
        description: kind,
        amount: '-0.004',
      },
      { ...CONTEXT, isCorrection: false },
    ),
  )
  return [...usage, ...own].map((row) =>
    Object.fromEntries(version.columns.map(({ name }, index) => [name, row[index]!])),
  )
}

const DATA: Dataset = {
  types: Object.fromEntries(TABLE.columns.map(({ name, type }) => [name, type])),
  rows: rows(),
}

function run(data: Dataset): Report {
  return runRules(data, SUPPORTED)
}

const good = run(DATA)

test('no rule fails, and none that should hold does not', () => {
  expect(good.failed).toEqual([])
  expect(good.advice).toEqual([])
})

test('every rule passed, failed, or was never applied for a reason', () => {
  const all = [...good.passed, ...good.failed, ...good.advice, ...good.never.map(({ id }) => id)]
  expect(all.sort()).toEqual(Object.keys(RULES).sort())
  expect(good.passed.length).toBeGreaterThan(150)
  const reasons = new Set(good.never.map(({ why }) => why.split(':')[0]))
  expect([...reasons].sort((a, b) => a!.localeCompare(b!))).toEqual([
    'for people to check',
    'no row meets its condition',
    'not applicable',
    'only allows',
    'stands for others',
    'wrong as written',
  ])
})

test('rules with ChargeClass other than Correction apply to rows without a class', () => {
  for (const id of [
    'ListCost-C-009-C',
    'ContractedUnitPrice-C-011-C',
    'ListUnitPrice-C-010-C',
    'SkuPriceId-C-005-C',
    'ContractedUnitPrice-C-006-C',
  ])
    expect(good.passed).toContain(id)
})

type Broken = (data: Dataset) => Dataset

const change =
  (column: string, value: Cell, isOne = true): Broken =>
  ({ types, rows: all }) => ({
    types,
    rows: all.map((row, index) => (isOne && index > 0 ? row : { ...row, [column]: value })),
  })
const without =
  (column: string): Broken =>
  ({ types, rows: all }) => {
    const { [column]: _, ...others } = types
    return { types: others, rows: all }
  }
const asType =
  (column: string, type: string): Broken =>
  ({ types, rows: all }) => ({
    types: { ...types, [column]: type },
    rows: all,
  })

describe('a broken file of each family fails', () => {
  const BROKEN: readonly (readonly [family: string, rule: string, broken: Broken])[] = [
    ['Presence', 'CostAndUsage-D-006-M', without('BilledCost')],
    ['Presence', 'CostAndUsage-D-026-M', without('ChargeClass')],
    ['Presence', 'CostAndUsage-D-034-C', without('ContractedUnitPrice')],
    ['Type', 'ListCost-C-001-M', asType('ListCost', 'text')],
    ['Type', 'ChargePeriodEnd-C-001-M', asType('ChargePeriodEnd', 'text')],
    ['Type', 'BillingCurrency-C-001-M', asType('BillingCurrency', 'decimal')],
    ['Format', 'ContractedCost-C-002-M', change('ContractedCost', '3.5E-5')],
    ['Format', 'ChargePeriodStart-C-002-M', change('ChargePeriodStart', '2025-07-28 03:00')],
    ['Format', 'BillingCurrency-C-003-M', change('BillingCurrency', 'usd')],
    ['Format', 'SkuPriceDetails-C-001-M', change('SkuPriceDetails', '[1]')],
    ['Nullability', 'BillingAccountId-C-001-M', change('BillingAccountId', null)],
    ['Nullability', 'ListUnitPrice-C-005-C', change('ListUnitPrice', null)],
    ['Nullability', 'SubAccountName-C-004-C', change('SubAccountId', null)],
    ['Nullability', 'PricingUnit-C-006-C', change('PricingUnit', null)],
    ['Validation', 'ChargeCategory-C-003-M', change('ChargeCategory', 'Refund')],
    ['Validation', 'ChargeClass-C-005-C', change('ChargeClass', 'Correct')],
    ['Validation', 'ListCost-C-009-C', change('ListCost', '0.000034')],
    ['Validation', 'ContractedUnitPrice-C-011-C', change('ContractedCost', '0.0000350000000000000001')],
    ['Validation', 'ContractedUnitPrice-C-009-C', change('ContractedUnitPrice', '-1')],
    ['Validation', 'BillingCurrency-C-006-M', change('BillingCurrency', 'XQZ')],
    ['Validation', 'SkuPriceId-C-008-M', change('SkuId', 'another')],
    ['Validation', 'ServiceName-C-005-C', change('ServiceCategory', 'Compute')],
    ['Validation', 'BilledCost-C-005-C', change('InvoiceIssuerName', 'reseller')],
  ]
  for (const [family, rule, broken] of BROKEN) {
    test(`${family}: ${rule}`, () => {
      expect(RULES[rule]!.Function).toBe(family)
      expect(good.passed.includes(rule) || good.never.some(({ id }) => id === rule)).toBe(true)
      expect(run(broken(DATA)).failed).toContain(rule)
    })
  }
})

describe('every version', () => {
  for (const version of FOCUS_VERSIONS) {
    test(`${version}: products are exact, and the proof stands last`, () => {
      const names = focusCharges(version).columns.map(({ name }) => name)
      expect(names.slice(-4)).toEqual(['x_BillId', 'x_LineNumber', 'x_BillDigest', 'x_UsageHour'])
      expect(
        names.slice(
          0,
          names.findIndex((name) => name.startsWith('x_')),
        ),
      ).toEqual(names.filter((name) => !name.startsWith('x_')).sort())
      for (const row of rows(focusCharges(version))) {
        if (row['PricingQuantity'] === null) continue
        expect(isProduct(row['PricingQuantity']!, row['ListUnitPrice']!, row['ListCost']!)).toBe(true)
        expect(isProduct(row['PricingQuantity']!, row['ContractedUnitPrice']!, row['ContractedCost']!)).toBe(
          true,
        )
      }
    })
  }

  test('1.4 names no ProviderName, 1.2 no ServiceProviderName', () => {
    const has = (version: '1.2' | '1.3' | '1.4', name: string) =>
      focusCharges(version).columns.some((column) => column.name === name)
    expect([has('1.2', 'ProviderName'), has('1.3', 'ProviderName'), has('1.4', 'ProviderName')]).toEqual([
      true,
      true,
      false,
    ])
    expect([has('1.2', 'ServiceProviderName'), has('1.3', 'ServiceProviderName')]).toEqual([false, true])
  })
})

test('a correction is a usage month before the statement month, and nothing else', () => {
  const classes = DATA.rows.slice(0, 4).map((row) => row['ChargeClass'])
  expect(classes).toEqual([null, null, 'Correction', null])
  expect(HOUR).toBeGreaterThan(PERIOD.from)
})
