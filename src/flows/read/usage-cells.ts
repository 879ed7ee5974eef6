import type { Entry } from '../../core/bill/tally.ts'
import { decimal, plain, plus } from '../../core/money/decimal.ts'
import { windowAt } from '../../core/time/calendar.ts'
import {
  type SumGroup,
  USAGE_GROUPS,
  type UsageFilter,
  type UsageGroup,
  type UsageKey,
  type UsageSum,
} from '../../store/usage.ts'
import type { Places } from './usage-places.ts'

/** What an entry of an account's usage is added to; undefined: it was not asked for. */
export type CellOf = (account: string, entry: CountedEntry) => UsageKey | undefined

export type CountedEntry = Pick<Entry, 'usageHour' | 'rate' | 'operation' | 'project' | 'region'>

const PARTS = [...USAGE_GROUPS, 'unit'] as const

/** The same for equal keys alone: U+0000 occurs in no part. */
export function keyText(key: UsageKey): string {
  return [key.window, key.tags, Number(key.correction), ...PARTS.map((part) => key[part])].join('\0')
}

/** Which cell an entry of usage belongs to, as the statements say it of lines. */
export function cellsOf(places: Places, groupBy: readonly SumGroup[], filter: UsageFilter): CellOf {
  const without = new Set(places.without)
  const only = places.only && new Set(places.only)
  const has = Object.fromEntries(USAGE_GROUPS.map((group) => [group, groupBy.includes(group)]))
  const fits = (group: UsageGroup, name: string) => filter[group]?.includes(name) ?? true
  return (account, { usageHour, rate, operation, project, region }) => {
    const place = places.special.get(account)
    const windows = place?.windows === undefined ? places.windows : places.ownWindows[place.windows]!
    const window = windowAt(windows, usageHour)
    if (window === undefined || without.has(account) || only?.has(account) === false) return undefined
    const names: Record<UsageGroup, string> = {
      account,
      component: rate.component,
      item: rate.item,
      rate: rate.rate,
      operation: operation ?? '',
      project: project ?? '',
      region: region ?? '',
    }
    if (!USAGE_GROUPS.every((group) => fits(group, names[group]))) return undefined
    for (const group of USAGE_GROUPS) if (!has[group]) names[group] = ''
    const tags = groupBy.includes('tags') ? (place?.tags ?? 0) : 0
    return { window, tags, correction: false, ...names, unit: rate.baseUnit }
  }
}

/** Sums of equal keys as one. In no order. */
export function mergeSums(sums: Iterable<UsageSum>): UsageSum[] {
  const merged = new Map<string, UsageSum>()
  for (const sum of sums) {
    const text = keyText(sum)
    const same = merged.get(text)
    merged.set(text, same ? added(same, sum) : sum)
  }
  return [...merged.values()]
}

function added(a: UsageSum, b: UsageSum): UsageSum {
  const add = (name: 'quantity' | 'waived' | 'amount') => plain(plus(decimal(a[name]), decimal(b[name])))
  return { ...a, quantity: add('quantity'), waived: add('waived'), amount: add('amount') }
}
