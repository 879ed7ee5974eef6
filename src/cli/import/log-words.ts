import { countOf, safeText } from '../../core/present/readable-text.ts'
import { complain, remark } from '../terminal/terminal.ts'
import type { KnownLog } from './known-logs.ts'
import type { LogReading } from './log-reading.ts'

const OWN_SOURCE = 'with a source of its own (--source NAME, another for each server), or log a request id'
/** Logs that are named one by one. */
const NAMED_MAX = 10

/**
 * @param path of the log
 * @param news lines that had been sent before it was seen
 */
export function otherDetail(path: string, { known, common }: LogReading, news: number): string {
  const same = countOf(common!.number, 'line')
  if (known!.path === path && news === 0) {
    return `The first ${same} were imported from here before, and later ones have changed: another log has this place, or this one was edited, and it is another log by that. Nothing else of it was sent: import another log ${OWN_SOURCE}; lines that you have corrected belong into a file of their own.`
  }
  const what = `The first ${same} are those of ${safeText(known!.path)}, later ones are not: it is another log, and what both have would count once.`
  if (news === 0) return `${what} Nothing else of it was sent: import it ${OWN_SOURCE}.`
  return `${what} ${countOf(news, 'line')} of it had been sent when that was seen: void them, and import it ${OWN_SOURCE}.`
}

export function otherTwinDetail(path: string): string {
  return `The first lines are those of ${safeText(path)}, but not all: it is another log, and what both have would count once. None of it was sent: import it ${OWN_SOURCE}.`
}

/** What is said of logs that share lines, and need not be wrong. */
export class LogWords {
  #strange = 0
  readonly #renamed: string[] = []

  sayDuplicate(file: string, path: string, { last }: LogReading): void {
    const lines = countOf(last?.number ?? 0, 'line')
    complain(
      `${file} is a copy of ${safeText(path)}: the ${lines} of both count once. If they are logs of two servers, import one ${OWN_SOURCE}.`,
      'yellow',
    )
  }

  noteKnown(file: string, path: string, known: KnownLog): void {
    if (path !== known.path) this.#renamed.push(`${file} was ${safeText(known.path)}`)
  }

  /** Lines that were sent before, by nobody that this import knows of. */
  noteStrange(repeats: number): void {
    this.#strange += repeats
  }

  sayAtEnd(): void {
    if (this.#renamed.length > 0) {
      const more = this.#renamed.length - NAMED_MAX
      const rest = more > 0 ? [`${more} more`] : []
      remark(
        `Logs with a new name go on where they were: ${[...this.#renamed.slice(0, NAMED_MAX), ...rest].join(', ')}.`,
      )
    }
    if (this.#strange === 0) return
    const duplicates = countOf(this.#strange, 'duplicate')
    complain(
      `${duplicates} of an earlier import: of the same log, or of another one with the same first lines. Only with --state FILE can an import tell.`,
    )
  }
}
