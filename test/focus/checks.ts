/** A value of a row as text; null: none. */
export type Cell = string | null

export interface Dataset {
  /** Types of the columns, by name: `text`, `json`, `instant`, `decimal`, `integer`, `boolean`. */
  readonly types: Readonly<Record<string, string>>
  readonly rows: readonly Readonly<Record<string, Cell>>[]
}

export interface Check {
  readonly CheckFunction: string
  readonly [argument: string]: unknown
}

type Row = Readonly<Record<string, Cell>>

interface CheckKind {
  /** It looks at all rows at once, and not at one. */
  readonly ofDataset?: true
  /** Undefined: it says nothing of this row. */
  run(check: Check, row: Row, data: Dataset): boolean | undefined
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))
/** `GB`, `Requests`, `1000 Requests`, `GB-Hours`, `GB/Hour`, `Units/3 Months`. */
const UNIT = /^(?:[1-9]\d* )?[A-Z][A-Za-z]*(?:-[A-Z][A-Za-z]*)*(?:\/(?:\d+ )?[A-Z][a-z]+)?$/u

const at = (check: Check, row: Row, argument = 'ColumnName'): Cell => row[check[argument] as string] ?? null

/** A check of one value: null is not looked at. */
const ofValue = (test: (value: string) => boolean): CheckKind => ({
  run(check, row) {
    const value = at(check, row)
    return value === null ? undefined : test(value)
  },
})

const ofType = (...types: readonly string[]): CheckKind => ({
  ofDataset: true,
  run: (check, _, { types: known }) => types.includes(known[check['ColumnName'] as string] ?? ''),
})

/** By the names of the model. Null is "not equal" to any value, also where SQL would say "unknown": on purpose. */
export const CHECKS: Readonly<Record<string, CheckKind>> = {
  AND: { run: () => undefined },
  OR: { run: () => undefined },
  CheckModelRule: { run: () => undefined },
  ColumnPresent: { ofDataset: true, run: (check, _, { types }) => (check['ColumnName'] as string) in types },
  TypeDecimal: ofType('decimal'),
  TypeString: ofType('text'),
  TypeDateTime: ofType('instant'),
  CheckValue: { run: (check, row) => same(at(check, row), check['Value']) },
  CheckNotValue: { run: (check, row) => !same(at(check, row), check['Value']) },
  CheckSameValue: { run: (check, row) => at(check, row, 'ColumnAName') === at(check, row, 'ColumnBName') },
  CheckNotSameValue: { run: (check, row) => at(check, row, 'ColumnAName') !== at(check, row, 'ColumnBName') },
  CheckDecimalValue: { run: (check, row) => NUMBER.test(at(check, row) ?? '') },
  CheckGreaterOrEqualThanValue: {
    run(check, row) {
      const value = at(check, row)
      if (value === null) return undefined
      return NUMBER.test(value) && compare(value, String(check['Value'])) >= 0
    },
  },
  CheckNationalCurrency: ofValue((value) => CURRENCIES.has(value)),
  CheckDistinctCount: {
    ofDataset: true,
    run(check, _, { rows }) {
      const found = new Map<Cell, Set<Cell>>()
      for (const row of rows) {
        const a = at(check, row, 'ColumnAName')
        if (a !== null) found.set(a, (found.get(a) ?? new Set()).add(at(check, row, 'ColumnBName')))
      }
      return [...found.values()].every(({ size }) => size === check['ExpectedCount'])
    },
  },
  ColumnByColumnEqualsColumnValue: {
    run(check, row) {
      const [a, b] = [at(check, row, 'ColumnAName'), at(check, row, 'ColumnBName')]
      const product = at(check, row, 'ResultColumnName')
      if (a === null || b === null) return undefined
      return [a, b, product ?? ''].every((value) => NUMBER.test(value)) && isProduct(a, b, product!)
    },
  },
  FormatNumeric: ofValue((value) => NUMBER.test(value)),
  FormatString: ofValue((value) => value.isWellFormed() && !value.includes('\0')),
  FormatDateTime: ofValue((value) => TIME.test(value) && !Number.isNaN(Date.parse(value))),
  FormatCurrency: ofValue((value) => /^[A-Z]{3}$/.test(value)),
  FormatUnit: ofValue((value) => UNIT.test(value)),
  FormatKeyValue: ofValue(isKeyValue),
}

/** The model writes numbers as numbers, and none as null. */
function same(value: Cell, wanted: unknown): boolean {
  if (wanted === null || value === null) return value === wanted
  if (typeof wanted !== 'number') return value === wanted
  return NUMBER.test(value) && compare(value, String(wanted)) === 0
}

/** An object of texts, numbers and literals, no deeper. */
function isKeyValue(text: string): boolean {
  try {
    const value = JSON.parse(text) as unknown
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
    return Object.values(value).every((each) => each === null || typeof each !== 'object')
  } catch {
    return false
  }
}

/** A plain decimal as a whole number of 10^-scale. */
function whole(text: string): readonly [value: bigint, scale: number] {
  const [digits = '', fraction = ''] = text.split('.')
  return [BigInt(digits + fraction), fraction.length]
}

function compare(a: string, b: string): number {
  const [[x, p], [y, q]] = [whole(a), whole(b)]
  const difference = x * 10n ** BigInt(q) - y * 10n ** BigInt(p)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Exactly, to the last digit. */
export function isProduct(a: string, b: string, product: string): boolean {
  const [[x, p], [y, q], [z, r]] = [whole(a), whole(b), whole(product)]
  return x * y * 10n ** BigInt(r) === z * 10n ** BigInt(p + q)
}

export function addExactly(values: readonly string[]): string {
  const scale = Math.max(0, ...values.map((value) => whole(value)[1]))
  const total = values.reduce((sum, value) => {
    const [digits, own] = whole(value)
    return sum + digits * 10n ** BigInt(scale - own)
  }, 0n)
  const text = (total < 0n ? -total : total).toString().padStart(scale + 1, '0')
  const plain = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`.replace(/\.?0+$/, '')
  return total < 0n ? `-${plain}` : plain
}
