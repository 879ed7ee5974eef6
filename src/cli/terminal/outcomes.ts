import { agree, countOf, readableNumber, safeText } from '../../core/present/readable-text.ts'
import { inCommands } from '../client/command-words.ts'
import { complain } from './terminal.ts'

/** How many events ended in each outcome (ARCHITECTURE.md): the members of the API's answer. */
export interface OutcomeCounts {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
  readonly held: number
  readonly rejected: number
}

/** A line of a file that needs somebody's attention. */
export interface LineProblem {
  /** Of an import. */
  readonly file?: string
  readonly line: number
  /** As far as it could be read. */
  readonly id: string | null
  readonly outcome: 'conflict' | 'held' | 'rejected'
  readonly code: string
  readonly detail: string
  /** The line itself, or its beginning, when it was not sent. */
  readonly text?: string
}

/** Problems that are named one by one; the others are counted. */
const NAMED_MAX = 10
/** Problems that are kept in memory: a file may have millions. */
export const PROBLEMS_KEPT_MAX = 1000

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

export function allOf({ accepted, duplicates, conflicts, held, rejected }: OutcomeCounts): number {
  return accepted + duplicates + conflicts + held + rejected
}

/** `20,000 events: 19,990 accepted, 8 duplicates, 2 held`: nothing that is zero but `accepted`. */
export function outcomeSummary(counts: OutcomeCounts): string {
  const { accepted, duplicates, conflicts, held, rejected } = counts
  const parts = [
    counted(duplicates, 'duplicate', 'duplicates'),
    counted(conflicts, 'conflict', 'conflicts'),
    counted(held, 'held', 'held'),
    counted(rejected, 'rejected', 'rejected'),
  ]
  const others = parts.filter((part) => part !== undefined)
  return `${countOf(allOf(counts), 'event')}: ${[`${number(accepted)} accepted`, ...others].join(', ')}`
}

/** Problems as they come in, in any order: the first few are kept, the others are counted. */
export class ProblemLog {
  readonly #kept: LineProblem[] = []
  readonly #counts = new Map<string, number>()

  add(problem: LineProblem): void {
    if (this.#kept.length < PROBLEMS_KEPT_MAX) this.#kept.push(problem)
    const key = keyOf(problem)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** In the order of the file. */
  kept(): readonly LineProblem[] {
    return this.#kept.toSorted((a, b) => a.line - b.line)
  }

  /** To standard error: the first lines that were not accepted, then how many more of each code there are. */
  say(file: string): void {
    const rest = new Map(this.#counts)
    for (const problem of this.kept().slice(0, NAMED_MAX)) {
      const { line, outcome, detail } = problem
      complain(
        `${file}:${line}: ${outcome}: ${safeText(inCommands(detail))}`,
        outcome === 'held' ? 'yellow' : 'red',
      )
      rest.set(keyOf(problem), rest.get(keyOf(problem))! - 1)
    }
    for (const [what, count] of rest) if (count > 0) complain(`${file}: ${number(count)} more ${what}`)
  }
}

function keyOf({ outcome, code }: LineProblem): string {
  return `${outcome} (${code})`
}

function counted(count: number, one: string, many: string): string | undefined {
  return count === 0 ? undefined : `${number(count)} ${agree(count, one, many)}`
}

function number(count: number): string {
  return readableNumber(String(count))
}
