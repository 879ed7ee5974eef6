import type { Windows } from '../../core/time/calendar.ts'
import type { Hour } from '../../core/time/hour.ts'
import type { Places } from './usage-places.ts'
import type { UsageRow } from './usage-rows.ts'

/** Hours in [from, to). */
export interface RowRange {
  readonly from: Hour
  readonly to: Hour
}

/** The hours that a row is of; where accounts have ranges of their own, from the first of all to the last. */
export function rangeOf(places: Places, { window, account }: Pick<UsageRow, 'window' | 'account'>): RowRange {
  const ranges = allOf(places, account).flatMap((windows) => partOf(windows, window) ?? [])
  return {
    from: Math.min(...ranges.map(({ from }) => from)) as Hour,
    to: Math.max(...ranges.map(({ to }) => to)) as Hour,
  }
}

/** Do the accounts of a row have different ranges? */
export function hasOwnRanges(places: Places, row: Pick<UsageRow, 'window' | 'account'>): boolean {
  const { from, to } = rangeOf(places, row)
  return allOf(places, row.account).some((windows) => {
    const part = partOf(windows, row.window)
    return part !== undefined && (part.from !== from || part.to !== to)
  })
}

/** '' is the row of several accounts. */
function allOf({ windows, ownWindows, special, isOne }: Places, account: string): readonly Windows[] {
  if (isOne || ownWindows.length === 0) return [windows]
  if (account === '') return [windows, ...ownWindows]
  const own = special.get(account)?.windows
  return [own === undefined ? windows : ownWindows[own]!]
}

function partOf({ base, starts }: Windows, window: number): RowRange | undefined {
  const [from, to] = [starts[window - base], starts[window - base + 1]]
  return from === undefined || to === undefined ? undefined : { from, to }
}
