import { changeOf, correctionsOf, NO_CHANGE, plusParts } from '../../core/bill/usage-change.ts'
import { groupBy } from '../../core/group-by.ts'
import { decimal, plus, ZERO } from '../../core/money/decimal.ts'
import { type Hour, hourOf, next } from '../../core/time/hour.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Month } from '../../core/time/zone-month.ts'
import { type SumGroup, USAGE_GROUPS, type UsageBasis, type UsageSum } from '../../store/usage.ts'
import type { Sql } from '../../store/query.ts'
import { sumUsage } from './sum-usage.ts'
import { type AskedRange, type AskUsage, isOfStatements, type UsageRefused } from './usage-ask.ts'
import { hoursBefore, hoursIn } from './usage-calendars.ts'
import { keyText } from './usage-cells.ts'
import { type Places, readPlaces } from './usage-places.ts'
import {
  plusChange,
  rowOf,
  rowText,
  totalOf,
  type UsageChange,
  type UsageRow,
  type UsageTotal,
} from './usage-rows.ts'

/** A period beside another one. */
export interface Comparison extends UsageChange {
  /** The hours of the other period. */
  readonly from: Hour
  readonly to: Hour
}

export interface ComparedUsage {
  readonly ok: true
  /** In no order. */
  readonly rows: readonly UsageRow[]
  readonly total: UsageTotal
  readonly comparison: Comparison
}

/** Lines of one key, in both periods. By the hour of the usage, corrections are a part of what was used. */
const LINE_KEY: Readonly<Record<UsageBasis, readonly SumGroup[]>> = {
  usage: [...USAGE_GROUPS, 'tags'],
  bill: [...USAGE_GROUPS, 'tags', 'correction'],
}

/**
 * Usage beside that of another period, and why its amount differs: by line key of each account, added up by group.
 * @param sql a transaction that sees one moment
 */
export async function compareUsage(
  sql: Sql,
  ask: AskUsage,
  other: AskedRange | 'previous',
  places: Places,
  now: Instant,
): Promise<ComparedUsage | UsageRefused> {
  const range = other === 'previous' && isOfStatements(ask) ? monthsBefore(ask.range) : other
  const until = next(hourOf(now))
  const found = await readPlaces(sql, ask, (calendar) =>
    range === 'previous' ? hoursBefore(calendar, ask.range, until) : hoursIn(calendar, range),
  )
  if (!found.ok) return found
  const asked = range === 'previous' ? ask : { ...ask, range }
  const before = await sumUsage(sql, asked, found.places, LINE_KEY[ask.basis], now)
  if (!before.ok) return before
  const after = await sumUsage(sql, ask, places, LINE_KEY[ask.basis], now)
  if (!after.ok) return after
  const rows = rowsBeside(ask, before.sums, after.sums)
  const none: UsageChange = { before: { amount: ZERO, quantities: [] }, parts: NO_CHANGE }
  const change = rows.reduce((all, row) => plusChange(all, row.change!), none)
  const { from, to } = found.places
  return { ok: true, rows, total: totalOf(after.sums), comparison: { ...change, from, to } }
}

/** As many months before. */
function monthsBefore({ from, to }: AskedRange): AskedRange {
  if (from.kind !== 'month' || to.kind !== 'month') return { from, to }
  const months = to.month - from.month
  return { from: { kind: 'month', month: (from.month - months) as Month }, to: from }
}

interface Beside {
  readonly before: UsageSum[]
  readonly after: UsageSum[]
}

function rowsBeside(
  ask: AskUsage,
  before: readonly UsageSum[],
  after: readonly UsageSum[],
): readonly UsageRow[] {
  const pairs = new Map<string, Beside>()
  const pairOf = (sum: UsageSum) => {
    const text = keyText(sum)
    const pair = pairs.get(text) ?? { before: [], after: [] }
    pairs.set(text, pair)
    return pair
  }
  for (const sum of before) pairOf(sum).before.push(sum)
  for (const sum of after) pairOf(sum).after.push(sum)
  const groups = groupBy(pairs.values(), (pair) => rowText(shownKey(ask, pair)))
  return [...groups.values()].map((some) => {
    const parts = some.map(partsOf).reduce(plusParts, NO_CHANGE)
    const change = { before: totalOf(some.flatMap((pair) => pair.before)), parts }
    return rowOf(
      shownKey(ask, some[0]!),
      some.flatMap((pair) => pair.after),
      change,
    )
  })
}

/** Without the groups that were not asked for. */
function shownKey({ groupBy: asked, tags }: AskUsage, { before, after }: Beside): UsageSum {
  const sum = after[0] ?? before[0]!
  const names = USAGE_GROUPS.map((group) => [group, asked.includes(group) ? sum[group] : ''])
  return { ...sum, ...Object.fromEntries(names), tags: tags.length > 0 ? sum.tags : 0 } as UsageSum
}

function partsOf({ before, after }: Beside) {
  const sum = after[0] ?? before[0]!
  return (sum.correction ? correctionsOf : changeOf)(usedIn(before), usedIn(after))
}

function usedIn(sums: readonly UsageSum[]) {
  return sums.reduce(
    (total, { quantity, amount }) => ({
      quantity: plus(total.quantity, decimal(quantity)),
      amount: plus(total.amount, decimal(amount)),
    }),
    { quantity: ZERO, amount: ZERO },
  )
}
