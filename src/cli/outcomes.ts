import { readableNumber, safeText } from '../core/present/readable-text.ts'
import { say } from './terminal.ts'

/** How many events ended in each outcome (DESIGN.md 5): the members of the API's answer. */
export interface OutcomeCounts {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
  readonly held: number
  readonly rejected: number
}

/** A line of a file that needs somebody's attention. */
export interface LineProblem {
  readonly line: number
  /** As far as they could be read. */
  readonly account?: string | null
  readonly source?: string | null
  readonly id: string | null
  readonly outcome: 'conflict' | 'held' | 'rejected'
  readonly code: string
  readonly detail: string
}

/** Problems that are named one by one; the others are counted. */
const NAMED_MAX = 10

export const NO_OUTCOMES: OutcomeCounts = { accepted: 0, duplicates: 0, conflicts: 0, held: 0, rejected: 0 }

export function addOutcomes(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  return {
    accepted: a.accepted + b.accepted,
    duplicates: a.duplicates + b.duplicates,
    conflicts: a.conflicts + b.conflicts,
    held: a.held + b.held,
    rejected: a.rejected + b.rejected,
  }
}

/** `20,000 events: 19,990 accepted, 8 duplicates, 2 held`: nothing that is zero but `accepted`. */
export function outcomeSummary(counts: OutcomeCounts): string {
  const { accepted, duplicates, conflicts, held, rejected } = counts
  const all = accepted + duplicates + conflicts + held + rejected
  const parts = [
    counted(duplicates, 'duplicate', 'duplicates'),
    counted(conflicts, 'conflict', 'conflicts'),
    counted(held, 'held', 'held'),
    counted(rejected, 'rejected', 'rejected'),
  ]
  const others = parts.filter((part) => part !== undefined)
  return `${counted(all, 'event', 'events') ?? '0 events'}: ${[`${number(accepted)} accepted`, ...others].join(', ')}`
}

/** To standard error: the first lines that were not accepted, then how many more of each code there are. */
export function sayProblems(file: string, problems: readonly LineProblem[]): void {
  for (const { line, outcome, detail } of problems.slice(0, NAMED_MAX)) {
    say(`${file}:${line}: ${outcome}: ${safeText(detail)}`, outcome === 'held' ? 'yellow' : 'red')
  }
  const rest = new Map<string, number>()
  for (const { outcome, code } of problems.slice(NAMED_MAX)) {
    const key = `${outcome} (${code})`
    rest.set(key, (rest.get(key) ?? 0) + 1)
  }
  for (const [what, count] of rest) say(`${file}: ${number(count)} more ${what}`)
}

function counted(count: number, one: string, many: string): string | undefined {
  return count === 0 ? undefined : `${number(count)} ${count === 1 ? one : many}`
}

function number(count: number): string {
  return readableNumber(String(count))
}
