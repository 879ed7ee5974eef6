import type { Usage } from '../ingest/usage.ts'
import type { Decimal } from '../money/decimal.ts'

/** The unit that counts API calls: the only one that request fees know (R3). */
export const CALL = 'call'

/**
 * How much of a unit an event used, or undefined when it does not say. A request counts calls; an operator
 * counts what it measured. A level counts nothing by itself: see `integrate`.
 */
export function measure(usage: Usage, unit: string): Decimal | undefined {
  switch (usage.component) {
    case 'request':
      return unit === CALL ? usage.count : undefined
    case 'processing':
      return usage.quantities.get(unit)
    case 'storage':
      return undefined
  }
}
