import { printableJson } from '../../core/text/printable-json.ts'
import { closeSync, openSync, writeSync } from 'node:fs'
import type { LineRefusal } from '../../core/access-log/line-refusal.ts'
import { countOf, readableNumber } from '../../core/present/readable-text.ts'
import { CommandFailed, systemReason } from '../terminal/command-failed.ts'
import type { PlacedLine } from './event-lines.ts'
import type { LineNotes } from './import-log.ts'
import {
  addOutcomes,
  type LineProblem,
  NO_OUTCOMES,
  type OutcomeCounts,
  outcomeSummary,
  ProblemLog,
} from '../terminal/outcomes.ts'
import type { BatchOutcome } from './send-lines.ts'
import { complain, print, printJson } from '../terminal/terminal.ts'

/** Characters of a line that is not sent which are kept with its problem. */
export const PROBLEM_TEXT_KEPT = 4096

/** Lines have the names of another log's. */
export const OTHER_LOG_CODE = 'log/other_log'

export interface OtherLog {
  /** From which on it is another log, as far as is known. */
  readonly line: number
  readonly lines: number
  readonly repeats: number
  readonly detail: string
}

/** What became of the lines of an import, over all of its files. */
export class Sent {
  counts: OutcomeCounts = NO_OUTCOMES
  #ignored = 0
  #unmatched = 0
  #unfinished = 0
  readonly #problemsFile: string | undefined
  readonly #descriptor: number | undefined
  readonly #logs = new Map<string, ProblemLog>()
  readonly #firstRefused = new Map<string, number>()

  /** @param problemsFile where every problem is written, one JSON object a line */
  constructor(problemsFile: string | undefined) {
    this.#problemsFile = problemsFile
    this.#descriptor = problemsFile === undefined ? undefined : openProblemsFile(problemsFile)
  }

  get hasRefused(): boolean {
    return this.counts.rejected + this.counts.conflicts + this.#unmatched > 0
  }

  add(file: string, { counts, problems }: BatchOutcome): void {
    this.counts = addOutcomes(this.counts, counts)
    for (const problem of problems) this.#keep(file, problem)
  }

  /** What is noted of the lines of a log that are not sent. */
  notesOf(file: string): Omit<LineNotes, 'onOther'> {
    return {
      onIgnored: () => (this.#ignored += 1),
      onUnfinished: ({ number }) => {
        this.#unfinished += 1
        complain(
          `${file}:${number}: the last line has no end yet: import the file again when it has.`,
          'yellow',
        )
      },
      onRefused: (line, refusal) => this.#refuse(file, line, refusal),
    }
  }

  #refuse(file: string, { number, bytes }: PlacedLine, { code, detail }: LineRefusal): void {
    if (code === 'log/no_route') this.#unmatched += 1
    else this.counts = addOutcomes(this.counts, { ...NO_OUTCOMES, rejected: 1 })
    const text = bytes?.toString('utf8').slice(0, PROBLEM_TEXT_KEPT) ?? ''
    this.#keep(file, { line: number, id: null, outcome: 'rejected', code, detail, text })
  }

  /**
   * A log is another one than that whose lines it shares.
   * @param lines that were not sent
   * @param repeats that were sent, and answered as duplicates of the other log's
   */
  refuseOther(file: string, { line, lines, repeats, detail }: OtherLog): void {
    const counts = { ...NO_OUTCOMES, duplicates: -repeats, rejected: lines + repeats }
    this.counts = addOutcomes(this.counts, counts)
    this.#keep(file, { line, id: null, outcome: 'rejected', code: OTHER_LOG_CODE, detail })
  }

  #keep(file: string, problem: LineProblem): void {
    const log = this.#logs.get(file) ?? new ProblemLog()
    this.#logs.set(file, log)
    log.add({ file, ...problem })
    if (problem.outcome !== 'held') {
      const first = this.#firstRefused.get(file) ?? problem.line
      this.#firstRefused.set(file, Math.min(first, problem.line))
    }
    if (this.#descriptor !== undefined)
      writeSync(this.#descriptor, `${printableJson({ file, ...problem })}\n`)
  }

  /** Has a line of the file up to this one been refused? Then it may be mended, and imported again. */
  hasRefusedUpTo(file: string, line: number): boolean {
    return (this.#firstRefused.get(file) ?? Number.POSITIVE_INFINITY) <= line
  }

  /** `20 events: 20 accepted; 3 lines ignored, 2 without a template`. */
  summary(): string {
    const others = [
      ...(this.#ignored > 0 ? [`${countOf(this.#ignored, 'line')} ignored`] : []),
      ...(this.#unmatched > 0 ? [`${readableNumber(String(this.#unmatched))} without a template`] : []),
      ...(this.#unfinished > 0 ? [`${readableNumber(String(this.#unfinished))} not finished`] : []),
    ]
    return [outcomeSummary(this.counts), ...(others.length > 0 ? [others.join(', ')] : [])].join('; ')
  }

  /** @param asLog were these lines of access logs? */
  report({ json, asLog }: { readonly json: boolean; readonly asLog: boolean }): void {
    for (const [file, log] of this.#logs) log.say(file)
    if (json) {
      const lines = { ignored: this.#ignored, unmatched: this.#unmatched, unfinished: this.#unfinished }
      const problems = [...this.#logs.values()].flatMap((log) => log.kept())
      return printJson({ ...this.counts, ...(asLog ? lines : {}), problems })
    }
    print(`${this.summary()}.`)
    if (this.#problemsFile !== undefined) {
      print(`What was not accepted is in ${this.#problemsFile}.`)
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
  }
}

function openProblemsFile(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw new CommandFailed(`${path} cannot be written (${systemReason(error)}): name another file.`)
  }
}
