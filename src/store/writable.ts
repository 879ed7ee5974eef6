import type pg from 'pg'
import type { Query } from './query.ts'
import { run } from './query.ts'
import { type Trouble, troubleOf } from './trouble.ts'

/** A probe of writing counts for so long. */
export const WRITE_PROBE_MS = 5_000
/** Usage that could not be stored counts for so long: then the next delivery shows whether it can be. */
export const WRITE_FAILURE_MS = 15_000

/** A row that is written and says the same: fails where writing does. */
const writeNothing: Query<void, never, void> = {
  name: 'write_nothing',
  text: `update clock_watch set agreements = agreements`,
  values: () => [],
  decode: () => undefined,
}

let lastFailure: { readonly trouble: Trouble; readonly atMs: number } | undefined

let tell: ((trouble: Trouble | undefined) => void) | undefined

/** In a thread: who answers /readyz is told, too. */
export function tellStoring(how: typeof tell): void {
  tell = how
}

/** Usage was stored, or not: what /readyz says follows from it. @param trouble undefined: it was stored */
export function noteStoring(trouble: Trouble | undefined): void {
  lastFailure = trouble && { trouble, atMs: performance.now() }
  tell?.(trouble)
}

const probes = new WeakMap<
  pg.Pool,
  { readonly atMs: number; readonly result: Promise<Trouble | undefined> }
>()

/**
 * Why the database takes no writes; undefined: it does. By what it did for the last delivery, and by a probe now and then.
 */
export function findWriteTrouble(pool: pg.Pool): Promise<Trouble | undefined> {
  const nowMs = performance.now()
  if (lastFailure && nowMs - lastFailure.atMs < WRITE_FAILURE_MS) return Promise.resolve(lastFailure.trouble)
  const known = probes.get(pool)
  if (known && nowMs - known.atMs < WRITE_PROBE_MS) return known.result
  const result = probe(pool)
  probes.set(pool, { atMs: nowMs, result })
  return result
}

async function probe(pool: pg.Pool): Promise<Trouble | undefined> {
  try {
    await run(pool, writeNothing, undefined)
    return undefined
  } catch (error) {
    const trouble = troubleOf(error)
    if (trouble === undefined) throw error
    return trouble
  }
}
