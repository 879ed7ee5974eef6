import { formatHourStart, type Hour } from '../time/hour.ts'

/**
 * The month whose statement a bill is in: that of its cycle's first instant, in UTC. Fixed when the bill is
 * issued, so that every bill is in exactly one statement.
 */
export function statementMonth(hour: Hour): string {
  return formatHourStart(hour).slice(0, 'YYYY-MM'.length)
}
