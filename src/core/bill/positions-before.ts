import { compare, decimal, isNegative, type Decimal } from '../money/decimal.ts'
import type { BillLine } from './bill.ts'
import {
  type Positions,
  type Stretch,
  stretchName,
  type StretchPosition,
} from '../rate/rating/priced-parts.ts'

/**
 * Where the stretches of a bill were before it, by its own lines: the position of the one that was counted first in each.
 * Whether the bills before say so too is not looked at.
 */
export function positionsBefore(lines: readonly BillLine[]): Positions {
  const first = new Map<string, StretchPosition & { readonly line: BillLine }>()
  for (const line of lines) {
    if (line.stretchFrom === null || line.position === null) continue
    const stretch: Stretch = {
      component: line.component,
      item: line.item,
      rate: line.rate,
      from: line.stretchFrom,
    }
    const [name, position] = [stretchName(stretch), decimal(line.position)]
    const known = first.get(name)
    if (known === undefined || isBefore(line, position, known)) first.set(name, { stretch, position, line })
  }
  return first
}

/** Usage hours count ascending. Lines of one key come one after the other; what gives back counts down. */
function isBefore(
  line: BillLine,
  position: Decimal,
  known: { readonly line: BillLine; readonly position: Decimal },
): boolean {
  if (line.usageHour !== known.line.usageHour) return line.usageHour < known.line.usageHour
  const isDown = isNegative(decimal(line.quantity))
  return isDown && isSameKey(line, known.line) && compare(position, known.position) > 0
}

function isSameKey(a: BillLine, b: BillLine): boolean {
  return a.operation === b.operation && a.project === b.project && a.region === b.region
}
