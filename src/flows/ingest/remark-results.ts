import type { PriceBook } from '../../core/rate/price-book/price-book.ts'
import type { Log } from '../../store/connect.ts'
import type { Sql } from '../../store/query.ts'
import type { EventResult } from './ingest-types.ts'
import { type LevelRemark, remarkLevels } from './level-remarks.ts'
import { type Candidate, isRefused, type Parsed } from './parse.ts'

/** What was read of a delivery, and what became of each, in the same order. */
export interface Judged<Result extends EventResult> {
  readonly reads: readonly Parsed[]
  readonly results: readonly Result[]
}

/**
 * The results of some deliveries, with remarks on those levels that are accepted and should be known about. What is asked
 * for them is one look-up for each day, and none where no level is among the events.
 */
export async function remarkResults<Result extends EventResult>(
  sql: Sql,
  book: PriceBook,
  judged: readonly Judged<Result>[],
): Promise<readonly (readonly Result[])[]> {
  const accepted = judged.flatMap(acceptedLevels)
  const remarks = accepted.length === 0 ? NONE : await remarkLevels(sql, book, accepted)
  if (remarks.size === 0) return judged.map(({ results }) => results)
  return judged.map(({ reads, results }) =>
    results.map((result, index) => {
      const read = reads[index]!
      return isRefused(read) ? result : { ...result, ...remarks.get(read) }
    }),
  )
}

const NONE: ReadonlyMap<Candidate, LevelRemark> = new Map()

function acceptedLevels({ reads, results }: Judged<EventResult>): readonly Candidate[] {
  const levels: Candidate[] = []
  for (const [index, read] of reads.entries()) {
    if (isRefused(read) || read.usage?.component !== 'storage') continue
    if (results[index]!.outcome === 'accepted') levels.push(read)
  }
  return levels
}

/** As `remarkResults`, of what is stored: a remark is no reason to have it sent again. */
export async function remarkStored<Result extends EventResult>(
  { pool, log }: { readonly pool: Sql; readonly log: Log },
  book: PriceBook,
  judged: readonly Judged<Result>[],
): Promise<readonly (readonly Result[])[]> {
  try {
    return await remarkResults(pool, book, judged)
  } catch (error) {
    log.warn({ err: error }, 'Levels were stored and answered without looking for others of their instants')
    return judged.map(({ results }) => results)
  }
}
