import { groupBy } from '../../core/group-by.ts'
import { type ChangeParts, plusParts } from '../../core/bill/usage-change.ts'
import { compare, type Decimal, decimal, plus, sum } from '../../core/money/decimal.ts'
import { compareBytes } from '../../core/text/well-formed.ts'
import { USAGE_GROUPS, type UsageGroup, type UsageKey, type UsageSum } from '../../store/usage.ts'

/** `amount`: the least first. `key`: by the names of the groups. */
export type UsageOrder = 'key' | 'amount' | '-amount'

/** What was used in one unit: two units never make one sum. */
export interface UsedQuantity {
  readonly unit: string
  readonly quantity: Decimal
  readonly waived: Decimal
  /** Of what was used in this unit. */
  readonly amount: Decimal
}

/** One group in one window, over all units. */
export interface UsageRow extends Omit<UsageKey, 'unit' | 'correction'> {
  readonly amount: Decimal
  /** By unit. */
  readonly quantities: readonly UsedQuantity[]
  /** So many groups that are no rows of their own; undefined: it is a group. */
  readonly others: number | undefined
  /** Beside another period; undefined: none was asked for. */
  readonly change: UsageChange | undefined
}

/** What was used, and what it cost. */
export type UsageTotal = Pick<UsageRow, 'amount' | 'quantities'>

export interface UsageChange {
  readonly before: UsageTotal
  /** They sum to the amount now less the one before. */
  readonly parts: ChangeParts
}

export interface Ranking {
  readonly order: UsageOrder
  /** Only so many groups, those with the largest amounts over all windows; undefined: all. */
  readonly top: number | undefined
}

/** Rows by window, then in the order that was asked for. */
export function rankRows(rows: readonly UsageRow[], { order, top }: Ranking): readonly UsageRow[] {
  const shown = top === undefined ? rows : withOthers(rows, top)
  return shown.toSorted((a, b) => a.window - b.window || inOrder(order, a, b))
}

/** A row for each group in each window. In no order. */
export function rowsOf(sums: readonly UsageSum[]): readonly UsageRow[] {
  return [...groupBy(sums, rowText).values()].map((some) => rowOf(some[0]!, some))
}

/** The same for sums of one row alone. */
export function rowText(sum: UsageSum): string {
  return `${sum.window}\0${groupText(sum)}`
}

/** @param sums that are not of one row's key are none of it */
export function rowOf(key: UsageKey, sums: readonly UsageSum[], change?: UsageChange): UsageRow {
  const names = Object.fromEntries(USAGE_GROUPS.map((group) => [group, key[group]])) as Record<
    UsageGroup,
    string
  >
  return { window: key.window, tags: key.tags, ...names, ...totalOf(sums), others: undefined, change }
}

/** All of some sums as one. */
export function totalOf(sums: readonly UsageSum[]): UsageTotal {
  return {
    amount: sum(sums.map(({ amount }) => decimal(amount))),
    quantities: quantitiesOf(sums.map(quantityOf)),
  }
}

function quantityOf({ unit, quantity, waived, amount }: UsageSum): UsedQuantity {
  return { unit, quantity: decimal(quantity), waived: decimal(waived), amount: decimal(amount) }
}

function quantitiesOf(all: readonly UsedQuantity[]): readonly UsedQuantity[] {
  const units = groupBy(all, ({ unit }) => unit)
  return [...units]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([unit, used]) => ({
      unit,
      quantity: sum(used.map(({ quantity }) => quantity)),
      waived: sum(used.map(({ waived }) => waived)),
      amount: sum(used.map(({ amount }) => amount)),
    }))
}

function groupText(key: Pick<UsageRow, UsageGroup | 'tags'>): string {
  return [key.tags, ...USAGE_GROUPS.map((group) => key[group])].join('\0')
}

/** The first groups by amount, and one row a window for the rest. */
function withOthers(rows: readonly UsageRow[], top: number): readonly UsageRow[] {
  const totals = new Map<string, { readonly row: UsageRow; amount: Decimal }>()
  for (const row of rows) {
    const text = groupText(row)
    const total = totals.get(text)
    if (total) total.amount = plus(total.amount, row.amount)
    else totals.set(text, { row, amount: row.amount })
  }
  const ranked = [...totals].sort(
    ([, a], [, b]) => compare(b.amount, a.amount) || compareGroups(a.row, b.row),
  )
  const best = new Set(ranked.slice(0, top).map(([text]) => text))
  const isBest = (row: UsageRow) => best.has(groupText(row))
  const rest = groupBy(
    rows.filter((row) => !isBest(row)),
    ({ window }) => window,
  )
  return [...rows.filter(isBest), ...[...rest].map(([window, some]) => othersOf(window, some))]
}

function othersOf(window: number, rows: readonly UsageRow[]): UsageRow {
  const names = Object.fromEntries(USAGE_GROUPS.map((group) => [group, ''])) as Record<UsageGroup, string>
  return {
    ...names,
    window,
    tags: 0,
    amount: sum(rows.map(({ amount }) => amount)),
    quantities: quantitiesOf(rows.flatMap(({ quantities }) => quantities)),
    others: rows.length,
    change: othersChange(rows),
  }
}

function othersChange(rows: readonly UsageRow[]): UsageChange | undefined {
  const changes = rows.flatMap(({ change }) => change ?? [])
  return changes.length === 0 ? undefined : changes.reduce(plusChange)
}

export function plusChange(a: UsageChange, b: UsageChange): UsageChange {
  return { before: plusTotal(a.before, b.before), parts: plusParts(a.parts, b.parts) }
}

function plusTotal(a: UsageTotal, b: UsageTotal): UsageTotal {
  return {
    amount: plus(a.amount, b.amount),
    quantities: quantitiesOf([...a.quantities, ...b.quantities]),
  }
}

/** The rest stands last, whatever the order. */
function inOrder(order: UsageOrder, a: UsageRow, b: UsageRow): number {
  const last = Number(a.others !== undefined) - Number(b.others !== undefined)
  if (last !== 0 || order === 'key') return last || compareGroups(a, b)
  const byAmount = compare(a.amount, b.amount)
  return (order === 'amount' ? byAmount : -byAmount) || compareGroups(a, b)
}

function compareGroups(a: UsageRow, b: UsageRow): number {
  const group = USAGE_GROUPS.find((name) => a[name] !== b[name])
  return group ? compareBytes(a[group], b[group]) : a.tags - b.tags
}
